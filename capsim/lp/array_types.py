"""Short names for the kinds of arrays that programs and plans are made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Flag = NDArray[np.bool_]
Text = NDArray[np.object_]
