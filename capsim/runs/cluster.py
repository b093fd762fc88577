"""The one place that knows Dask (extra ``dask``): a cluster's workers as an executor.

``client.get_executor()`` does as well; this one sends what all blocks share to the workers once.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distributed import Client


class ClusterExecutor(Executor):
    """Executor on the workers of a Dask cluster.

    A worker that dies loses its blocks, which others do again; the results are the same.

    Parameters
    ----------
    client : distributed.Client
        Of a scheduler with workers that have capsim installed.
    """

    def __init__(self, client: Client):
        self.client = client

    def share(self, work: Any) -> Any:
        """Send to every worker what all blocks need; what comes back stands for it in `submit`."""
        return self.client.scatter(work, broadcast=True, hash=False)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Hand a call to the cluster."""
        remote = self.client.submit(fn, *args, pure=False, **kwargs)
        local: Future[Any] = Future()

        def withdraw(ended: Future[Any]) -> None:
            if ended.cancelled():
                remote.cancel()

        local.add_done_callback(withdraw)
        remote.add_done_callback(lambda ended: _hand_over(ended, local))
        return local


def _hand_over(remote: Any, local: Future[Any]) -> None:
    """Bring the end of a call on the cluster to the future that waits for it here."""
    if not local.set_running_or_notify_cancel():
        return
    if remote.status == "finished":
        local.set_result(remote.result())
    elif remote.status == "cancelled":
        local.set_exception(ConnectionError("the cluster closed, or gave a block up"))
    else:
        local.set_exception(remote.exception())
