"""From a grey film of any size to the network's input tensor, exactly as the service does it.

The recipe, in the words of the manifest's ``input`` block:

1. ``intensity: min-max`` - N = (x - min) / (max - min) over the whole film (all 0 if max = min).
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


def normalise_film(image: np.ndarray) -> np.ndarray:
    """Steps 1 to 3: a display-oriented film (MONOCHROME2) to N, float32 [224, 224] in 0..1."""
    image = np.asarray(image, dtype=np.float64)
    if image.ndim != 2 or image.size == 0:
        raise ValueError(f"a film is a non-empty 2-D array, not {image.shape}")
    low, high = image.min(), image.max()
    if high == low:
        return np.zeros((SIZE, SIZE), np.float32)
    return np.clip(resize((image - low) / (high - low)), 0.0, 1.0).astype(np.float32)


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
