"""The data set: rows, who may train on them, labels, films on the network's grid, draws and augmentation."""
from .dataset import (NIH, ROOT, V7, Dataset, Row, cache_dir, covid_licence_allows, default_data_dir, digest, known_finding,
                      licence_table, read_grey, save_whole, view_licence_allows)

__all__ = ["NIH", "ROOT", "V7", "Dataset", "Row", "cache_dir", "covid_licence_allows", "default_data_dir", "digest", "known_finding",
           "licence_table", "read_grey", "save_whole", "view_licence_allows"]
