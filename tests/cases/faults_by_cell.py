"""What is wrong with a workbook, by cell."""

import pytest

from capsim.scenario import ScenarioError


def cells(again) -> dict[str, str]:
    with pytest.raises(ScenarioError) as caught:
        again()
    return {fault.file: str(fault) for fault in caught.value.faults}
