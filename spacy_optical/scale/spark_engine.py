"""Run on Spark, with Python workers that load the pipeline once."""

import os
import pickle
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from ..compat import require
from ..errors import Errors, OpticalError

pyspark: Any = require("pyspark", extra="spark")
spark_sql: Any = require("pyspark.sql", extra="spark")
# How often Spark runs a task. A killed worker counts as a failure of its task.
TRIES = 4


def run(write: Callable[[Any], Any], parts: Sequence[Any], n_process: int) -> Iterator[Any]:
    """Run on the Spark session of this program or of `spark-submit`, or start one.

    RAISES (OpticalError): If there is no Java, or if Spark cannot be started or fails.
    """
    home = os.environ.get("JAVA_HOME")
    if shutil.which(str(Path(home) / "bin" / "java") if home else "java") is None:
        raise OpticalError(Errors.E809)

    def write_all(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for number in batch.column("id").to_pylist():
                written = pickle.dumps(write(parts[number]))
                yield pa.record_batch({"written": pa.array([written], pa.binary())})

    session = spark_sql.SparkSession.getActiveSession()
    # `getActiveSession` only finds the session of this thread.
    started = session is None and pyspark.SparkContext._active_spark_context is None
    try:
        if session is None:
            builder = spark_sql.SparkSession.builder.appName("spacy_optical annotate")
            # Otherwise, spark-submit or the program has set the master.
            if started and "PYSPARK_GATEWAY_PORT" not in os.environ:
                builder = builder.master(f"local[{n_process},{TRIES}]")
                os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # default: python3
            session = builder.getOrCreate()
        numbers = session.range(0, len(parts), 1, len(parts))  # one partition a part
        for row in numbers.mapInArrow(write_all, "written binary").collect():
            yield pickle.loads(row.written)
    except Exception as err:
        reason = str(err).strip().partition("\n")[0]
        raise OpticalError(Errors.E810.format(engine="Spark", reason=reason)) from err
    finally:
        if started and session is not None:
            session.stop()
