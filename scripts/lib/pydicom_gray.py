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
        return luminance(palette, 255 if palette.dtype == np.uint8 else 65535)
    if pixels.ndim == 3:
        return luminance(convert_color_space(pixels, photometric, "RGB") if photometric.startswith("YBR_FULL") else pixels, 255)
    stored = pixels
    pixels = apply_voi_lut(apply_modality_lut(stored, film), film).astype(np.float64)
    if "VOILUTSequence" in film:
        pixels = pixels / (2 ** film.VOILUTSequence[0].LUTDescriptor[2] - 1)
    elif "WindowCenter" in film and film.WindowCenter not in (None, ""):
        low, high = window_range(film)
        pixels = (pixels - low) / (high - low)
    else:
        pixels = (pixels - pixels.min()) / (pixels.max() - pixels.min())
    return 1 - pixels if photometric == "MONOCHROME1" else pixels


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
