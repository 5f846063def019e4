"""Tables in Parquet files, by pyarrow, which is installed on request only."""

import io
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from segstudio.errors import FormatError

MAX_ROWS = 2_000_000
_ROWS_AT_ONCE = 10_000


def is_installed() -> bool:
    """Whether Parquet files can be read and written here."""
    return find_spec("pyarrow") is not None


def encode_texts(columns: Sequence[str], rows: Iterable[Mapping[str, str | None]]) -> bytes:
    """A Parquet file of text columns. FormatError where pyarrow is not installed."""
    arrow, parquet = _arrow()
    schema = arrow.schema([(name, arrow.string()) for name in columns])
    file = io.BytesIO()
    left = iter(rows)
    with parquet.ParquetWriter(file, schema) as writer:
        while some := list(itertools.islice(left, _ROWS_AT_ONCE)):
            values = {name: [row.get(name) for row in some] for name in columns}
            writer.write_table(arrow.table(values, schema))
    return file.getvalue()


def texts_in(content: bytes, name: str) -> Iterator[dict[str, Any]]:
    """The rows of a Parquet file, by their text and number columns; others are left out.

    FormatError when it is damaged, has more than MAX_ROWS, or pyarrow is not installed; `name` is
    what messages call the file.
    """
    arrow, parquet = _arrow()
    try:
        file = parquet.ParquetFile(io.BytesIO(content))
        if file.metadata.num_rows > MAX_ROWS:
            raise FormatError(f"{name} has more than {MAX_ROWS:,} rows; divide it.")
        wanted = [f.name for f in file.schema_arrow if _is_plain(arrow, f.type)]
        found: list[dict[str, Any]] = []
        for batch in file.iter_batches(_ROWS_AT_ONCE, columns=wanted):
            found += batch.to_pylist()
    # pyarrow's errors are children of these.
    except (arrow.ArrowException, OSError, ValueError, TypeError, KeyError, IndexError,
            NotImplementedError, MemoryError, OverflowError, RuntimeError) as error:  # fmt: skip
        why = " ".join(str(error).split())[:100]
        raise FormatError(
            f"{name} is no Parquet file that can be read ({why}); export it again."
        ) from error
    return iter(found)


def _is_plain(arrow: Any, kind: Any) -> bool:  # noqa: ANN401  pyarrow has no types
    kinds = arrow.types
    return bool(kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_integer(kind))


def _arrow() -> tuple[Any, Any]:
    try:
        arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError as error:
        raise FormatError(
            "Parquet files need pyarrow, which is not installed; run 'pip install pyarrow', or"
            " choose metadata.jsonl as the list."
        ) from error
    return arrow, parquet
