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
    try:
        # Where the worker that held it is gone, this waits until another has done it again.
        result = remote.result()
    except BaseException as error:  # noqa: BLE001 (handed to whoever waits for the block)
        local.set_exception(error)
    else:
        local.set_result(result)
