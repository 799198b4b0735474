"""Writes the golden files in this folder: logits as written by numpy, pyarrow, pandas and polars.

Written with numpy 2.4.6, pyarrow 26.0.1, pandas 3.1.1 and polars 2.1.0. `files/formats.rs` expects this content:
image i has for class c the logit ((7 i + 13 c) mod 64 - 32) / 4, which every type of float holds exactly, the label
i mod 5 and the name `images/i.png`.
"""

import pathlib
import struct

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).parent
N, CLASSES = 23, 5

images, classes = np.arange(N)[:, None], np.arange(CLASSES)[None, :]
logits = (((7 * images + 13 * classes) % 64 - 32) / 4).astype(np.float32)
labels = np.arange(N) % CLASSES
ids = [f"images/{i}.png" for i in range(N)]


def npy(name, array, version=None):
    with open(HERE / f"{name}.npy", "wb") as file:
        np.lib.format.write_array(file, array, version=version)


for dtype in ["<f2", "<f4", "<f8", ">f2", ">f4", ">f8"]:
    npy(f"{'big' if dtype[0] == '>' else 'little'}-{dtype[1:]}", logits.astype(dtype))
npy("version-2", logits, (2, 0))
npy("version-3", logits, (3, 0))
npy("overflow", np.array([[1e300, -1e300], [0, 1]]))
npy("fortran", np.asfortranarray(logits))
npy("flat", logits[0])
npy("structured", np.zeros(3, dtype=[("a", "<f4"), ("b", "<f4")]))
npy("complex", logits.astype(np.complex64))
np.save(HERE / "objects.npy", np.array([[1, "x"]], dtype=object), allow_pickle=True)
for dtype in ["|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", ">i4", ">u8"]:
    npy(f"labels-{'big' if dtype[0] == '>' else 'little'}-{dtype[1:]}", labels.astype(dtype))
npy("labels-negative", np.array([0, 1, -1]))
npy("labels-flags", np.array([True, False]))
np.savetxt(HERE / "labels.txt", labels, fmt="%d")
np.savetxt(HERE / "labels-floats.txt", labels)


def lists(kind, rows=None):
    return pa.array([row.tolist() for row in logits] if rows is None else rows, kind)


def table(name, columns, **options):
    pq.write_table(pa.table(columns), HERE / f"{name}.parquet", **options)


single = pa.list_(pa.float32())
whole = {"logits": lists(single), "label": labels, "id": ids}
for codec in ["none", "snappy", "gzip", "zstd", "lz4", "brotli"]:
    table(f"list-{codec}", whole, compression=codec)
for codec in ["none", "snappy", "zstd"]:
    table(f"list-v2-{codec}", whole, compression=codec, data_page_version="2.0")
table("list-groups", whole, row_group_size=4)
table("list-pages", whole, data_page_size=64, write_batch_size=3, use_dictionary=False)
table("list-plain", whole, use_dictionary=False)
table("list-split", whole, use_dictionary=False, use_byte_stream_split=["logits.list.element"])
table("list-double", {"logits": lists(pa.list_(pa.float64()))})
table("list-half", {"logits": lists(pa.list_(pa.float16()))})
table("list-fixed", {"logits": lists(pa.list_(pa.float32(), CLASSES)), "label": labels.astype(np.uint8)})
table("list-large", {"logits": lists(pa.large_list(pa.float32())), "path": pa.array(ids, pa.large_string())})
required = pa.schema([pa.field("logits", pa.list_(pa.field("element", pa.float32(), False)), False),
                      pa.field("label", pa.int32(), False)])
pq.write_table(pa.table({"logits": lists(required.field(0).type), "label": labels.astype(np.int32)}, schema=required),
               HERE / "list-required.parquet")
required = pa.schema([pa.field(f"logit_{c}", pa.float32(), False) for c in range(CLASSES)]
                     + [pa.field("label", pa.int64(), False), pa.field("id", pa.string(), False)])
columns = [logits[:, c] for c in range(CLASSES)] + [labels, ids]
pq.write_table(pa.table(columns, schema=required), HERE / "columns-encoded.parquet", use_dictionary=False, compression="none",
               column_encoding={**{f"logit_{c}": "BYTE_STREAM_SPLIT" for c in range(CLASSES)},
                                "label": "PLAIN", "id": "PLAIN"})
table("labels-deltas", {"label": labels}, use_dictionary=False, column_encoding={"label": "DELTA_BINARY_PACKED"})
table("id-deltas", {"logits": lists(single), "id": ids}, use_dictionary=False, column_encoding={"id": "DELTA_BYTE_ARRAY"})

rows = logits.tolist()
table("null-row", {"logits": lists(single, rows[:7] + [None] + rows[8:])}, row_group_size=4)
table("null-logit", {"logits": lists(single, rows[:7] + [[1, 2, None, 4, 5]] + rows[8:])}, row_group_size=4)
table("empty-row", {"logits": lists(single, rows[:7] + [[]] + rows[8:])}, row_group_size=4)
table("short-row", {"logits": lists(single, rows[:7] + [[1, 2, 3]] + rows[8:])}, row_group_size=4)
table("long-row", {"logits": lists(single, rows[:7] + [[1, 2, 3, 4, 5, 6]] + rows[8:])}, row_group_size=4)
table("first-row-null", {"logits": lists(single, [None] + rows[1:])})
table("first-row-empty", {"logits": lists(single, [[]] + rows[1:])})
table("integers", {"logits": pa.array([[1, 2]], pa.list_(pa.int64()))})
table("structs", {"logits": pa.array([[{"x": 1.0}]])})
table("no-rows", {"logits": lists(single, [])})
table("no-logits", {"label": labels, "id": ids})

per_class = {f"logit_{c}": logits[:, c] for c in range(CLASSES)}
loss = {"loss": np.ones(N)}
table("columns-pyarrow", {**loss, **per_class, "label": labels}, row_group_size=6)
table("columns-any-order", {**loss, **{name: per_class[name] for name in reversed(per_class)}})
table("columns-by-number", {**{str(c): logits[:, c] for c in [0, 3, 4, 1, 2]}, "label": labels})
table("columns-in-order", {name: logits[:, c] for c, name in enumerate(["cat", "dog", "ant", "bee", "eel"])})
table("columns-half", {name: column.astype(np.float16) for name, column in per_class.items()})
table("columns-double", {name: column.astype(np.float64) for name, column in per_class.items()}, use_dictionary=False)
table("columns-gap", {name: per_class[name] for name in ["logit_0", "logit_1", "logit_3"]})
holes = logits[:, 2].tolist()
holes[9] = None
table("columns-null", {**per_class, "logit_2": pa.array(holes, pa.float32())}, row_group_size=4)
table("labels-null", {"logits": lists(single), "label": pa.array([0, None] + [1] * (N - 2))})
table("labels-negative", {"logits": lists(single), "label": np.arange(N) - 1})
table("labels-floats", {"logits": lists(single), "label": labels.astype(np.float64)})
table("labels-categories", {"logits": lists(single), "label": labels.astype(np.int16), "id": pa.array(ids).dictionary_encode()})
table("labels-unsigned", {"logits": lists(single), "label": np.full(N, 2**32 - 1, np.uint32)})

frame = pd.DataFrame({"logits": list(logits), "label": labels, "id": ids})
frame.to_parquet(HERE / "list-pandas.parquet")
frame = pd.DataFrame(logits, columns=[f"logit_{c}" for c in range(CLASSES)])
frame["label"] = labels
frame.to_parquet(HERE / "columns-pandas.parquet")

frame = pl.DataFrame({"logits": logits, "label": labels, "id": ids})
frame.write_parquet(HERE / "array-polars.parquet")
frame = frame.with_columns(pl.col("logits").arr.to_list())
for codec in ["zstd", "lz4", "snappy", "gzip", "uncompressed"]:
    frame.write_parquet(HERE / f"list-polars-{codec}.parquet", compression=codec)
frame.write_parquet(HERE / "list-polars-pages.parquet", row_group_size=8, data_page_size=64)
pl.DataFrame({**per_class, "label": labels}).write_parquet(HERE / "columns-polars.parquet")

# A file without the end of its footer, and one with a wrong footer length.
whole = (HERE / "list-none.parquet").read_bytes()
(HERE / "cut.parquet").write_bytes(whole[:-20])
(HERE / "footer-too-long.parquet").write_bytes(whole[:-8] + struct.pack("<I", len(whole)) + b"PAR1")
