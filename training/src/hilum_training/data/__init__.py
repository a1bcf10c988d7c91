"""The data set: rows, who may train on them, labels, films on the network's grid, draws and augmentation."""

from .dataset import (
    NIH,
    ROOT,
    V7,
    Dataset,
    Row,
    cache_dir,
    default_data_dir,
    digest,
    licence_table,
    read_grey,
    save_whole,
)

__all__ = [
    "NIH",
    "ROOT",
    "V7",
    "Dataset",
    "Row",
    "cache_dir",
    "default_data_dir",
    "digest",
    "licence_table",
    "read_grey",
    "save_whole",
]
