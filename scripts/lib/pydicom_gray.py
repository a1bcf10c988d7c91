"""Displayed grey values of DICOM films as pydicom (with GDCM or Pillow for the compressed ones) has them: the independent reader of `npm run agreement` and its
test. High-Throughput JPEG 2000, which neither pydicom 2 nor GDCM 3.0 know, goes to OpenJPEG through Pillow.

usage: pydicom_gray.py FILE OUTPUT [FILE OUTPUT ...]
Each OUTPUT gets rows * columns float32 values, 0 black to 1 white; one JSON line per file on standard output.
"""
import io
import json
import sys

import numpy as np
import pydicom
from pydicom.pixel_data_handlers.util import apply_color_lut, apply_modality_lut, apply_voi_lut, convert_color_space


HTJ2K = ("1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203")


def openjpeg(film):
    from PIL import Image
    from pydicom.encaps import generate_pixel_data_frame

    return np.array(Image.open(io.BytesIO(next(generate_pixel_data_frame(film.PixelData)))))


def luminance(rgb, largest):
    return np.round(rgb[..., 0] * 0.299 + rgb[..., 1] * 0.587 + rgb[..., 2] * 0.114) / largest


def gray(path):
    film = pydicom.dcmread(path, force=True)
    if "TransferSyntaxUID" not in film.file_meta:
        film.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian if film.is_implicit_VR else pydicom.uid.ExplicitVRLittleEndian
    pixels = openjpeg(film) if film.file_meta.TransferSyntaxUID in HTJ2K else film.pixel_array
    photometric = film.PhotometricInterpretation
    if photometric == "PALETTE COLOR":
        palette = apply_color_lut(pixels, film)
        return own_scale(luminance(palette, 255 if palette.dtype == np.uint8 else 65535), False, stretch=False)
    if pixels.ndim == 3:
        rgb = convert_color_space(pixels, photometric, "RGB") if photometric.startswith("YBR_FULL") else pixels
        return own_scale(luminance(rgb, 255), False, stretch=False)
    stored = pixels
    pixels = apply_voi_lut(apply_modality_lut(stored, film), film).astype(np.float64)
    if "VOILUTSequence" in film:
        # By the bits that its entries fill, whatever the descriptor claims.
        pixels = pixels / (2 ** max(8, int(max(voi_entries(film))).bit_length()) - 1)
    elif "WindowCenter" in film and film.WindowCenter not in (None, ""):
        low, high = window_range(film)
        pixels = (pixels - low) / (high - low)
    else:
        return own_scale(pixels, photometric == "MONOCHROME1")
    return 1 - pixels if photometric == "MONOCHROME1" else pixels


def own_scale(pixels, inverse, stretch=True):
    """docs/conformance.md, "Grey scale", written a second time."""
    edge = np.concatenate([pixels[0], pixels[-1], pixels[1:-1, 0], pixels[1:-1, -1]])
    levels, counts = np.unique(edge, return_counts=True)
    value, share = levels[counts.argmax()], counts.max() / edge.size
    padding = pixels == value
    film = bulk(pixels[~padding]) if pixels.size >= 1000 and share >= 0.1 and padding.mean() <= 0.6 else None
    if film is None or film[0] <= value <= film[1]:
        padding[:] = False
    else:
        apart = max(film[0] - value, value - film[1]) > 0.1 * (film[1] - film[0])
        padding &= bool(apart or (share >= 0.95 and (value < film[0]) == inverse))
    padding = joined_to_border(padding)
    low, high = bulk(pixels[~padding]) or (pixels.min(), pixels.max())
    shown = np.clip(pixels, low, high)
    if stretch:
        shown = (shown - low) / (high - low)
    return np.where(padding, 0.0, 1 - shown if inverse else shown)


def joined_to_border(mask):
    joined = mask.copy()
    joined[1:-1, 1:-1] = False
    before = -1
    while joined.sum() != before:
        before = joined.sum()
        grown = joined.copy()
        for part, behind in ((np.s_[1:], np.s_[:-1]), (np.s_[:-1], np.s_[1:]), (np.s_[:, 1:], np.s_[:, :-1]), (np.s_[:, :-1], np.s_[:, 1:])):
            grown[part] |= joined[behind]
        joined = grown & mask
    return joined


def bulk(values):
    """Smallest and largest value without what lies beyond an empty stretch of the scale; None where there is no picture."""
    ordered = np.sort(values)
    rank = int(0.01 * (ordered.size - 1))
    if ordered.size == 0 or ordered[rank] == ordered[-1 - rank]:
        return None
    bottom, top = ordered[rank], ordered[-1 - rank]
    width = top - bottom
    below, above = ordered[: rank + 1], ordered[ordered.size - 1 - rank :]
    gaps = np.flatnonzero((np.diff(below) > 0.1 * width) | (bottom - below[:-1] > 2.2 * width))
    low = below[gaps[-1] + 1] if gaps.size else below[0]
    gaps = np.flatnonzero((np.diff(above) > 0.2 * width) | (above[1:] - top > 2.2 * width))
    return low, (above[gaps[0]] if gaps.size else above[-1])


def voi_entries(film):
    item = film.VOILUTSequence[0]
    data = item.LUTData
    return data if not isinstance(data, bytes) else np.frombuffer(data, "<u2" if len(data) >= 2 * item.LUTDescriptor[0] else "u1")


def window_range(film):
    """What apply_windowing maps to: the range of the stored bits after rescaling."""
    bits = film.BitsStored
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if film.PixelRepresentation else (0, 2**bits - 1)
    if "ModalityLUTSequence" in film:
        return 0, 2 ** film.ModalityLUTSequence[0].LUTDescriptor[2] - 1
    slope, intercept = film.get("RescaleSlope", 1) or 1, film.get("RescaleIntercept", 0) or 0
    return low * slope + intercept, high * slope + intercept


def main(arguments):
    for path, output in zip(arguments[::2], arguments[1::2]):
        try:
            values = np.ascontiguousarray(gray(path), dtype="<f4")
            values.tofile(output)
            print(json.dumps({"file": path, "rows": values.shape[0], "columns": values.shape[1], "constant": bool(values.min() == values.max())}), flush=True)
        except Exception as error:  # whatever pydicom cannot read is no reference
            print(json.dumps({"file": path, "error": f"{type(error).__name__}: {error}"[:200]}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
