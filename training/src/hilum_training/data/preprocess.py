"""From a grey film of any size to the network's input tensor, exactly as the service does it.

The recipe, in the words of the manifest's ``input`` block:

1. ``intensity: min-max`` - N = (x - min) / (max - min) over the whole film (all 0 if max = min), without outliers
   (``grey_range``) and, in black, without padding that nobody declared (``undeclared_padding``).
   The service does both for films without a window only; the training films are pictures, which have none.
2. ``resample: antialiased-triangle`` - to 224 x 224, the aspect ratio not kept (the paper squashes too).
   Along one axis of length n_in, output sample i (0-based) of n_out is

       scale s = max(1, n_in / n_out)           centre c_i = (i + 0.5) * n_in / n_out
       weight  a_ij = max(0, 1 - |j + 0.5 - c_i| / s)   for j = 0 .. n_in - 1
       R_i = sum_j a_ij x_j / sum_j a_ij

   Width first, then height, in float64. This is Pillow's and PyTorch's antialiased "bilinear" on floats.
3. ``range: [0, 1]`` - clip.
4. ``region: lungs`` only - pixels outside the lung mask become ``fill`` (0).
5. Z = (N - mean) / std, as float32 (equation 1 and 2 of the paper, with the training set's mean and std).
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

SIZE = 224
MASK_THRESHOLD = 0.5
MIN_COMPONENT_FRACTION = 0.01
# src/dicom/grey-scale.ts has the same numbers and says why.
TAIL = 0.01
EMPTY_BELOW = 0.1
EMPTY_ABOVE = 0.2
FARTHEST = 2.2
BORDER_SHARE = 0.1
WHOLE_BORDER = 0.95
MOST_PADDING = 0.6
FEWEST_PIXELS = 1000
FEWEST_NEIGHBOURS = 3


def triangle_matrix(n_in: int, n_out: int) -> np.ndarray:
    """Rows of normalised triangle weights: float64 [n_out, n_in]."""
    scale = max(1.0, n_in / n_out)
    centre = (np.arange(n_out) + 0.5) * n_in / n_out
    distance = np.abs(np.arange(n_in)[None, :] + 0.5 - centre[:, None]) / scale
    weight = np.maximum(0.0, 1.0 - distance)
    return weight / weight.sum(axis=1, keepdims=True)


def resize(image: np.ndarray, height: int = SIZE, width: int = SIZE) -> np.ndarray:
    """Antialiased triangle resampling of a 2-D array: float64 [height, width]."""
    image = np.asarray(image, dtype=np.float64)
    narrowed = image @ triangle_matrix(image.shape[1], width).T
    return triangle_matrix(image.shape[0], height) @ narrowed


def grey_range(values: np.ndarray) -> tuple[float, float] | None:
    """Smallest and largest value without outliers, or None where 98 % of the pixels have one value.

    From the bulk (1 % and 99 % quantiles) outwards up to the first empty stretch of the scale; src/dicom/grey-scale.ts.
    """
    levels, counts = np.unique(values, return_counts=True)
    if len(levels) == 0:
        return None
    rank = int(np.floor(TAIL * (counts.sum() - 1)))
    first = int(np.searchsorted(np.cumsum(counts), rank, side="right"))
    last = len(levels) - 1 - int(np.searchsorted(np.cumsum(counts[::-1]), rank, side="right"))
    if first >= last:
        return None
    bottom, top = levels[first], levels[last]
    width = top - bottom
    while (
        first > 0
        and levels[first] - levels[first - 1] <= EMPTY_BELOW * width
        and bottom - levels[first - 1] <= FARTHEST * width
    ):
        first -= 1
    while (
        last < len(levels) - 1
        and levels[last + 1] - levels[last] <= EMPTY_ABOVE * width
        and levels[last + 1] - top <= FARTHEST * width
    ):
        last += 1
    return levels[first], levels[last]


def undeclared_padding(image: np.ndarray) -> np.ndarray:
    """True where a border of one value lies apart from all others, or is the whole border in white."""
    none = np.zeros(image.shape, bool)
    if image.size < FEWEST_PIXELS:
        return none
    frame = np.ones(image.shape, bool)
    frame[1:-1, 1:-1] = False
    levels, counts = np.unique(image[frame], return_counts=True)
    value, share = levels[counts.argmax()], counts.max() / frame.sum()
    film = grey_range(image[image != value])
    if (image == value).mean() > MOST_PADDING:
        return none
    if share < BORDER_SHARE or film is None or film[0] <= value <= film[1]:
        return none
    distance = film[0] - value if value < film[0] else value - film[1]
    white = value > film[0] and share >= WHOLE_BORDER
    if distance <= EMPTY_BELOW * (film[1] - film[0]) and not white:
        return none
    labels, _ = ndimage.label(image == value)
    return np.isin(labels, np.setdiff1d(labels[frame], 0))


def repair(shown: np.ndarray, wrong: np.ndarray, padding: np.ndarray) -> np.ndarray:
    """Single wrong elements get the mean of those of their eight neighbours that are right, where three are."""
    right = (~wrong & ~padding).astype(np.float64)
    around = np.ones((3, 3))
    count = ndimage.convolve(right, around, mode="constant")
    total = ndimage.convolve(np.where(right > 0, shown, 0.0), around, mode="constant")
    return np.where(wrong & (count >= FEWEST_NEIGHBOURS), total / np.maximum(count, 1), shown)


def normalise_film(image: np.ndarray) -> np.ndarray:
    """Steps 1 to 3: a display-oriented film (MONOCHROME2) to N, float32 [224, 224] in 0..1."""
    image = np.asarray(image, dtype=np.float64)
    if image.ndim != 2 or image.size == 0:
        raise ValueError(f"a film is a non-empty 2-D array, not {image.shape}")
    padding = undeclared_padding(image)
    scale = grey_range(image[~padding])
    if scale is None:
        return np.zeros((SIZE, SIZE), np.float32)
    low, high = scale
    shown = np.where(padding, 0.0, (np.clip(image, low, high) - low) / (high - low))
    shown = repair(shown, ~padding & ((image < low) | (image > high)), padding)
    return np.clip(resize(shown), 0.0, 1.0).astype(np.float32)


def clean_mask(probability: np.ndarray) -> np.ndarray:
    """Lung probability [224, 224] to a boolean mask without its 4-connected specks under 1 % of the film."""
    mask = np.asarray(probability) >= MASK_THRESHOLD
    labels, count = ndimage.label(mask)
    if count == 0:
        return mask
    area = np.bincount(labels.ravel())
    keep = area >= MIN_COMPONENT_FRACTION * mask.size
    keep[0] = False
    return keep[labels]


def lungs_only(film: np.ndarray, mask: np.ndarray, fill: float = 0.0) -> np.ndarray:
    """Step 4: N with everything outside the lungs set to ``fill``."""
    return np.where(mask, film, np.float32(fill)).astype(np.float32)


def standardise(film: np.ndarray, mean: float, std: float) -> np.ndarray:
    """Step 5: Z = (N - mean) / std, float32."""
    return ((film - np.float32(mean)) / np.float32(std)).astype(np.float32)
