"""Finds copies with Apache Spark, for corpora that outgrow a machine: the same clusters as `retold.find`, to the bit.

Needs PySpark 4 with pyarrow, and `retold` on each worker.

::

    import retold.spark

    articles = spark.read.json("crawl.jsonl")
    members = retold.spark.find(articles, text="body", id="url")
    clean = retold.spark.keep(articles, text="body", id="url")
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, overload

from . import _retold
from .kernels import BLOCK, Step, plain

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

__all__ = ["Found", "find", "keep"]

# Columns that kernels give.
_NUMBERED = "id string, words long, refused boolean, exact_a long, exact_b long, hash long, seconds long, beside long, outlet long"
_MET = "kind int, a long, b long, round int, depth int, rows binary"
_NEAR = "l long, r long, round int, similarity float, jaccard float, containment float"
_SIDES = "at long, near boolean, similarity float, jaccard float, containment float"
_READ = "l long, r long, odds float, evidence binary, near boolean, similarity float, jaccard float, containment float"
_HELD = "fingerprint long, words long, t long, needed long"
_OVERLAPS = "kind int, a long, b long, count long, crowded long, needed long"
_LOOKED = (
    "l long, r long, pairs int, share int, evidence binary, l_is_shorter boolean, l_mate boolean, r_mate boolean"
)

# The types that a column may have, and the remedy for others, as `retold.find` has them for Arrow data.
_STRINGS = {"string", "char", "varchar", "void"}
_LABELS = (
    _STRINGS | {"byte", "short", "integer", "long", "date", "timestamp", "timestamp_ntz"},
    "give strings, integers, dates or timestamps",
)
_TYPES = {
    "text": (_STRINGS, "give strings"),
    "id": _LABELS,
    "date": _LABELS,
    "source": _LABELS,
    "known": ({"boolean", "void"}, "give Booleans"),
}

# Those of excerpts, as users have them.
_EXCERPTS = (
    "host", "host_start", "host_end", "source", "source_start", "source_end", "words", "kind", "same", "holders", "others", "date", "is_furniture",
)

# The seconds of an article without a date.
_NEVER = (1 << 63) - 1

# A text that more pairs have is sent to where the others are; so many texts at most.
_HUB = 1000
_HUBS = 5000

# Texts whose stems are in the memory of one task at a time.
_HOMES = 8192

# Texts that are counted together: as many as make about twenty megabytes of features.
_BUCKET = 2500

# Bytes that a worker is given at a time, a last row aside: so it needs no more memory where texts are long.
_BATCH = 32 << 20

Progress = Callable[[str, float], object]


class Found(NamedTuple):
    """What `find` gives where it looks for excerpts as well."""

    members: DataFrame
    """A row for each copy."""

    excerpts: DataFrame
    """A row for each passage that one article took from another one."""


@overload
def find(
    df: DataFrame,
    *,
    text: str = "text",
    id: str = "id",
    date: str | None = None,
    source: str | None = None,
    known: str | None = None,
    level: Literal["near", "reworded"] = "reworded",
    threshold: float = 0.5,
    containment: float = 0.8,
    confidence: float = 0.5,
    keep: Literal["central", "longest", "earliest"] = "central",
    within: timedelta | float | None = None,
    prior: float | None = None,
    min_words: int = 3,
    excerpts: Literal[False, "ignore"] = False,
    partitions: int | None = None,
    progress: Progress | None = None,
    **refused: Any,
) -> DataFrame: ...


@overload
def find(
    df: DataFrame,
    *,
    text: str = "text",
    id: str = "id",
    date: str | None = None,
    source: str | None = None,
    known: str | None = None,
    level: Literal["near", "reworded"] = "reworded",
    threshold: float = 0.5,
    containment: float = 0.8,
    confidence: float = 0.5,
    keep: Literal["central", "longest", "earliest"] = "central",
    within: timedelta | float | None = None,
    prior: float | None = None,
    min_words: int = 3,
    excerpts: Literal[True, "find", "find_all"],
    partitions: int | None = None,
    progress: Progress | None = None,
    **refused: Any,
) -> Found: ...


@overload
def find(
    df: DataFrame,
    *,
    text: str = "text",
    id: str = "id",
    date: str | None = None,
    source: str | None = None,
    known: str | None = None,
    level: Literal["near", "reworded"] = "reworded",
    threshold: float = 0.5,
    containment: float = 0.8,
    confidence: float = 0.5,
    keep: Literal["central", "longest", "earliest"] = "central",
    within: timedelta | float | None = None,
    prior: float | None = None,
    min_words: int = 3,
    excerpts: bool | Literal["ignore", "find", "find_all"],
    partitions: int | None = None,
    progress: Progress | None = None,
    **refused: Any,
) -> DataFrame | Found: ...


def find(
    df: DataFrame,
    *,
    text: str = "text",
    id: str = "id",
    date: str | None = None,
    source: str | None = None,
    known: str | None = None,
    level: Literal["near", "reworded"] = "reworded",
    threshold: float = 0.5,
    containment: float = 0.8,
    confidence: float = 0.5,
    keep: Literal["central", "longest", "earliest"] = "central",
    within: timedelta | float | None = None,
    prior: float | None = None,
    min_words: int = 3,
    excerpts: bool | Literal["ignore", "find", "find_all"] = False,
    partitions: int | None = None,
    progress: Progress | None = None,
    **refused: Any,
) -> DataFrame | Found:
    """Finds all clusters of copies among the rows of a DataFrame: a row for each copy.

    The columns are `cluster`, a number; `id`, and `representative`, the id of the article that stands for the cluster; `relation`, which
    is "exact", "near" or "reworded"; `similarity`; `evidence`, a struct that is null for an exact copy; and `via`, the id of the
    member it was judged with if that is not the representative. They are what `retold.find(...).members` has, to the bit, however the
    rows are ordered and partitioned. Ids are strings.

    With `excerpts` it finds passages that one article took from another as well, in the same run, and gives two DataFrames::

        members, excerpts = retold.spark.find(articles, date="date", source="outlet", excerpts=True)

    The rows of the second one are those of `retold.find(..., excerpts=True).excerpts`, without the positions, since rows have no order.

    The options are those of `retold.find`. What needs an order of rows or all pairs is refused: ``keep="first"``,
    ``search="exhaustive"`` and ``near_misses``. `partitions` is the number of tasks of a stage, at least two, and
    ``spark.sql.shuffle.partitions`` unless given; `progress` is called with the name of each stage and the seconds that it took.

    The work is done at once. The results are persisted, and what was persisted on the way is given back. Rows are computed once; if an
    executor that holds some is lost, they are computed again, and where they come out differently (`uuid()`, `rand()`) a ValueError says so.
    """
    options = {
        "level": level,
        "threshold": threshold,
        "containment": containment,
        "confidence": confidence,
        "keep": keep,
        "within": within,
        "prior": prior,
        "min_words": min_words,
        "excerpts": excerpts,
        **refused,
    }
    with _Run(df, _Names(text, id, date, source, known), options, partitions, progress) as run:
        run.find()
        return Found(run.members(), run.excerpts()) if run.wants_excerpts else run.members()


def keep(
    df: DataFrame,
    *,
    text: str = "text",
    id: str = "id",
    date: str | None = None,
    known: str | None = None,
    level: Literal["near", "reworded"] = "reworded",
    threshold: float = 0.5,
    containment: float = 0.8,
    confidence: float = 0.5,
    removal_confidence: float = 0.9,
    keep: Literal["central", "longest", "earliest"] = "central",
    within: timedelta | float | None = None,
    prior: float | None = None,
    min_words: int = 3,
    partitions: int | None = None,
    progress: Progress | None = None,
    **refused: Any,
) -> DataFrame:
    """The rows of a DataFrame without those that are copies of others that stay: what ``retold.find(...).keep_mask()`` keeps.

    All columns are there, in no certain order of rows. Of rows with one id, one text and one date any one stays.
    Takes the options of `find`, and `removal_confidence`. The result is persisted.
    """
    options = {
        "level": level,
        "threshold": threshold,
        "containment": containment,
        "confidence": confidence,
        "removal_confidence": removal_confidence,
        "keep": keep,
        "within": within,
        "prior": prior,
        "min_words": min_words,
        **refused,
    }
    if "excerpts" in refused:
        raise ValueError("articles that share a passage all stay: leave excerpts out, or ask find for them")
    with _Run(df, _Names(text, id, date, None, known), options, partitions, progress, with_rows=True) as run:
        run.find()
        return run.kept()


class _Names(NamedTuple):
    """The names of columns."""

    text: str
    id: str
    date: str | None
    source: str | None
    known: str | None


class _Run:
    """One detection, and what it persisted."""

    def __init__(
        self,
        df: DataFrame,
        names: _Names,
        options: Mapping[str, Any],
        partitions: int | None,
        progress: Progress | None,
        with_rows: bool = False,
    ) -> None:
        from pyspark.sql import functions as F

        self.F = F
        self.df = df
        self.spark: SparkSession = df.sparkSession
        self.names = names
        self.options = plain(options)
        self.wants_excerpts = self.options.get("excerpts", "ignore") not in (False, "ignore")
        # Whatever is wrong with an option is told before anything is read.
        _retold.Kernel("number", self.options, {})
        # Texts that are all in one partition would be sent anew for each join: Spark does not see that they are where they should be.
        self.partitions = max(2, partitions or int(str(self.spark.conf.get("spark.sql.shuffle.partitions"))))
        self.progress = progress
        self.with_rows = with_rows
        self.persisted: list[DataFrame] = []
        self.confs: dict[str, str | None] = {}

    def __enter__(self) -> _Run:
        # Rows of kernels may be large, and those of others must not wait for them. Not every Spark 4 knows the limit of bytes.
        for name, value in (
            ("spark.sql.execution.arrow.maxRecordsPerBatch", "2000"),
            ("spark.sql.execution.arrow.maxBytesPerBatch", str(_BATCH)),
            ("spark.sql.shuffle.partitions", str(self.partitions)),
        ):
            self.confs[name] = self.spark.conf.get(name, None)
            self.spark.conf.set(name, value)
        return self

    def __exit__(self, *_: object) -> None:
        for df in self.persisted:
            df.unpersist()
        for name, value in self.confs.items():
            if value is None:
                self.spark.conf.unset(name)
            else:
                self.spark.conf.set(name, value)

    # How stages are put together.

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            self.spark.sparkContext.setJobDescription(f"retold: {name}")
        except Exception:  # Spark Connect has none.
            pass
        yield
        if self.progress is not None:
            self.progress(name, time.perf_counter() - start)

    def persist(self, df: DataFrame) -> DataFrame:
        from pyspark import StorageLevel

        df = df.persist(StorageLevel.MEMORY_AND_DISK)
        self.persisted.append(df)
        return df

    def run(self, kernel: str, df: DataFrame, schema: Any, carry: Any = (), **knows: Any) -> DataFrame:
        return df.mapInArrow(Step(kernel, self.options, carry, **knows), schema)

    def sorted(self, df: DataFrame, *by: Any) -> DataFrame:
        """All rows of one value of the first column in one task, and in order."""
        return df.repartition(self.partitions, by[0]).sortWithinPartitions(*by)

    def spread(self, df: DataFrame, by: str, *rest: str) -> DataFrame:
        """The same for numbers that run from 0 on: as many to each task."""
        if hasattr(df, "repartitionById"):
            task = self.F.pmod(self.F.col(by), self.F.lit(self.partitions)).cast("int")
            return df.repartitionById(self.partitions, task).sortWithinPartitions(by, *rest)
        return self.sorted(df, by, *rest)

    def collect(self, df: DataFrame) -> Any:
        return _one(df.toArrow())

    def frame(self, table: Any) -> DataFrame:
        import pyarrow as pa

        table = pa.table(table)
        if table.num_rows:
            return self.spark.createDataFrame(table)
        # Spark takes no column without a chunk.
        from pyspark.sql.pandas.types import from_arrow_schema

        return self.spark.createDataFrame([], from_arrow_schema(table.schema))

    def with_side(
        self, pairs: DataFrame, texts: DataFrame, side: str, columns: tuple[str, ...], hubs: list[int]
    ) -> DataFrame:
        F = self.F
        of_side = [F.col("t").alias(side)] + [F.col(column).alias(f"{side}_{column}") for column in columns]
        sides = texts.select(*of_side)
        if not hubs:
            return pairs.join(sides, side)
        # What hundreds are compared with is sent to where they are, not they to where it is.
        is_hub = F.col(side).isin(hubs)
        others = pairs.where(~is_hub).join(sides, side)
        return others.unionByName(pairs.where(is_hub).join(F.broadcast(sides.where(is_hub)), side))

    def both(self, pairs: DataFrame, texts: DataFrame, *columns: str, hubs: list[int] | None = None) -> DataFrame:
        """Pairs with columns of both texts."""
        hubs = hubs or []
        return self.with_side(self.with_side(pairs, texts, "r", columns, hubs), texts, "l", columns, hubs)

    def hubs(self, pairs: DataFrame) -> list[int]:
        """Texts that very many pairs have."""
        F = self.F
        ends = pairs.select(F.explode(F.array("l", "r")).alias("t"))
        counts = self.collect(ends.groupBy("t").count().where(F.col("count") > _HUB).sort(F.desc("count")).limit(_HUBS))
        hubs: list[int] = counts.column("t").to_pylist()
        return hubs

    # The stages.

    def find(self) -> None:
        with self.stage("number"):
            self.number()
        with self.stage("sign"):
            self.sign()
        with self.stage("near"):
            self.near()
        is_near = self.options.get("level") == "near"
        if self.wants_excerpts or not is_near:
            with self.stage("furniture"):
                self.furniture()
        if not is_near:
            with self.stage("features"):
                self.features()
            with self.stage("weigh"):
                self.weigh()
            with self.stage("neighbours"):
                self.neighbours()
            with self.stage("look"):
                self.look()
            with self.stage("read"):
                self.read()
        self.found: Any = self.decider.members()

    def number(self) -> None:
        """Articles with numbers: those of their ids in order."""
        from pyspark.sql import Window
        from pyspark.sql.types import StructType

        F = self.F
        text, id, date, source, known = self.names
        df = self.df
        self.check_columns()
        columns = [F.col(_quoted(id)).alias("label"), F.col(_quoted(text)).cast("string").alias("text")]
        if date is not None:
            columns.append(F.col(_quoted(date)).alias("date"))
        if source is not None:
            columns.append(F.col(_quoted(source)).alias("source"))
        if known is not None:
            columns.append(F.coalesce(F.col(_quoted(known)).cast("boolean"), F.lit(False)).alias("known"))
        if self.with_rows:
            columns.append(F.struct(*[F.col(_quoted(name)) for name in df.columns]).alias("row"))
        articles = df.select(*columns)
        # Fields, not a string of them, which cannot hold every name and type.
        carried = [field for field in articles.schema.fields if field.name != "label"]
        schema = StructType(carried + StructType.fromDDL(_NUMBERED).fields)
        # Rows may come out differently whenever they are computed, and numbers are joined to them: that must be the same rows.
        numbered = self.persist(self.run("number", articles, schema, tuple(field.name for field in carried)))
        of_dates = "within" in self.options or self.options.get("keep") == "earliest" or self.wants_excerpts
        self.has_dates = date is not None and of_dates
        order = ["id", "exact_a", "exact_b", "words"]
        if known is not None:
            numbered = numbered.withColumn("is_new", ~F.col("known"))
            order.append("is_new")
        if self.has_dates:
            order.append("seconds")
        order += ["hash", "beside"]
        # Only what orders them is sorted: of neighbouring ids all texts may be long, and one task would have these.
        keys = self.persist(numbered.select(*order))
        self.rows = self.check_rows(numbered)
        if self.rows >= 1 << 31:
            raise ValueError(f"{self.rows} articles are too many: some two thousand million can be numbered")
        placed = keys.repartitionByRange(self.partitions, *order).sortWithinPartitions(*order)
        placed = self.persist(placed.withColumn("place", F.monotonically_increasing_id()))
        # So many rows before those of each task.
        task = F.shiftright(F.col("place"), 33)
        counts = {row[0]: row[1] for row in placed.groupBy(task).count().collect()}
        firsts, rows = [], 0
        for at in range(max(counts, default=-1) + 1):
            firsts.append(rows - (at << 33))
            rows += counts.get(at, 0)
        first = F.array(*[F.lit(first).cast("long") for first in firsts or [0]])
        numbers = placed.withColumn("n", F.col("place") + F.get(first, task.cast("int"))).groupBy(*order).agg(F.min("n").alias("n"))
        # Rows that are equal in all of it are numbered one after the other, whichever comes first.
        equal = F.row_number().over(Window.partitionBy(*order).orderBy(*order)) - 1
        articles = numbered.join(numbers.hint("merge"), order).withColumn("n", F.col("n") + equal)
        self.articles = self.persist(articles.drop("date", "source", "is_new", "beside"))

    def check_columns(self) -> None:
        fields = {field.name: field.dataType for field in self.df.schema.fields}
        for what, name in self.names._asdict().items():
            if name is None:
                continue
            if name not in fields:
                raise KeyError(f"no column {name!r} for the {what}: give {what}= one of {', '.join(fields)}")
            types, remedy = _TYPES[what]
            if fields[name].typeName() not in types:
                raise TypeError(f'column "{name}" is {fields[name].simpleString()}: {remedy}')

    def check_rows(self, numbered: DataFrame) -> int:
        """How many there are. Refuses rows without an id, and warns of dates that are none as `retold.find` does."""
        F = self.F
        undated = F.lit(None).cast("string")
        if self.names.date is not None:
            date = F.col("date").cast("string")
            undated = F.when((F.col("seconds") == _NEVER) & date.rlike(r"\S"), date)
        aggregates = (F.count("*"), F.count_if(F.col("id").isNull()), F.count(undated), F.min(undated))
        rows, nameless, count, first = numbered.agg(*aggregates).collect()[0]
        if nameless:
            raise ValueError(f"some ids are null: give every row one in the column {self.names.id!r}")
        if count:
            s = "" if count == 1 else "s"
            message = f"{count} date{s} cannot be read and count as none, such as {first!r}: give 2024-05-17 or a date"
            warnings.warn(message, UserWarning, stacklevel=5)
        return int(rows)

    def sign(self) -> None:
        """Articles to texts: those that can be compared, each once."""
        F = self.F
        articles = self.articles
        columns = ["n", "words", "refused"] + ["seconds"] * self.has_dates + ["known"] * (self.names.known is not None)
        columns += ["outlet"] * (self.wants_excerpts and self.names.source is not None)
        numbers = self.collect(articles.select(*columns))
        import pyarrow.compute as pc

        # Distinct ones: of rows that changed, two may have one number.
        _check_same(self.rows, pc.count_distinct(numbers.column("n")).as_py())
        exact = ["exact_a", "exact_b", "words"]
        known = articles.where(~F.col("refused")).select("n", *exact)
        copied = known.groupBy(*exact).count().where("count > 1").drop("count")
        copied = self.collect(known.join(copied, exact).select("n", *exact))
        self.decider = _retold.Decider(self.options, numbers, _same(copied, exact))
        texts = articles.select("n", "text", "words")
        texts = self.run(
            "texts",
            texts,
            "text string, words long, t long, mini binary",
            ("text", "words"),
            distinct=self.decider.distinct(),
        )
        self.texts = self.persist(texts.where("t >= 0").repartition(self.partitions, "t"))

    def near(self) -> None:
        F = self.F
        texts = self.texts.select("t", "text")
        keys = self.run("keys", texts, "key long, t long")
        met = self.persist(self.run("roots", self.sorted(keys, "key", "t"), _MET))
        pairs = met.where("kind = 0")
        crowded = met.where("kind = 1").select(F.col("a").alias("key"), F.col("b").alias("t"))
        # A crowded bucket is split by its next rows.
        deeper = self.run("deeper", crowded.join(texts, "t").select("key", "t", "text"), _MET)
        while not met.where("kind > 0").isEmpty():
            met = self.persist(self.run("buckets", self.sorted(deeper, "a", "b"), _MET))
            pairs = pairs.unionByName(met.where("kind = 0"))
            deeper = met.where("kind = 2")
        pairs = pairs.groupBy(F.col("a").alias("l"), F.col("b").alias("r")).agg(F.min("round").alias("round"))
        pairs = self.persist(pairs)
        hubs = self.hubs(pairs)
        with_minis = self.both(pairs, self.texts, "mini", "words", hubs=hubs)
        likely = self.run("may_be", with_minis, "l long, r long, round int")
        self.decider.near(self.collect(self.compared(likely, 0, hubs)), self)
        self.leads, self.documents = self.decider.leads()
        self.whole, self.common = self.decider.whole()

    def compared(self, pairs: DataFrame, glance: int, hubs: list[int]) -> DataFrame:
        with_texts = self.both(pairs.withColumn("glance", self.F.lit(glance)), self.texts, "text", hubs=hubs)
        return self.run("compare", with_texts, _NEAR)

    def furniture(self) -> None:
        """Passages that unrelated texts hold."""
        F = self.F
        texts = self.texts.select("t", "text")
        knows = {"whole": self.whole, "common": self.common}
        windows = self.run("windows", texts, "window long, hash long, t long", **knows)
        held = self.run("holders", self.sorted(windows, "window", "hash", "t"), "window long, holders binary")
        held = self.persist(held)
        lists = self.run("explode", held.select("holders").distinct(), "holders binary, place long, t long")
        schema = "holders binary, place long, stems binary, window long"
        stems = self.run("stems", lists.join(texts, "t").select("holders", "place", "text"), schema, common=self.common)
        last = F.lit(1 << 20).alias("place")
        asked = held.select("holders", last, F.lit(None).cast("binary").alias("stems"), "window")
        asked = self.sorted(stems.unionByName(asked), "holders", "place")
        found = self.collect(self.run("unrelated", asked, "event boolean, window long"))
        import pyarrow.compute as pc

        events = found.column("event")
        self.mask = {"common": self.common, "windows": _four(found.filter(pc.invert(events)).column("window"))}
        self.no_excerpts = {"common": self.common, "windows": _four(found.filter(events).column("window"))}

    def features(self) -> None:
        """How many texts hold each feature, and who holds those that few do."""
        F = self.F
        texts = self.texts.select("t", "text")
        knows = {"leads": self.leads, **self.mask}
        # What is frequent among some texts is so among all, and need not be gathered from everywhere.
        found = self.run("frequent", texts, "kind int, number long", **knows).groupBy("kind", F.when(F.col("kind") == 0, F.col("number")).alias("feature"))
        found = self.collect(found.agg(F.sum("number").alias("sum")))
        rows = list(zip(*(found.column(name).to_pylist() for name in ("kind", "feature", "sum"))))
        sums = {kind: total for kind, _, total in rows if kind > 0}
        self.english = self.decider.english([sums.get(kind, 0) for kind in range(1, 6)])
        frequent = _eight(feature for kind, feature, _ in rows if kind == 0)
        buckets = max(self.partitions, -(-self.decider.texts() // _BUCKET))
        features = self.run(
            "features", texts, "bucket long, data binary", frequent=frequent, buckets=buckets, **knows
        )
        counted = self.run("count", self.spread(features, "bucket"), "kind int, number long, code int, data binary")
        self.counted = self.persist(counted)
        frequent_features = self.collect(self.counted.where("kind = 1").select("number", "code"))
        self.weights = {
            "frequent": _eight(frequent_features.column("number")),
            "frequent_codes": bytes(frequent_features.column("code").to_pylist()),
            "documents": self.documents,
            "english": self.english,
            **knows,
        }

    def weigh(self) -> None:
        F = self.F
        answers = self.counted.where("kind = 0")
        answers = answers.select(
            F.col("number").alias("block"), F.lit(-1).cast("long").alias("t"), "data", F.lit(None).cast("string").alias("text")
        )
        texts = self.texts.select(
            F.floor(F.col("t") / BLOCK).alias("block"), "t", F.lit(None).cast("binary").alias("data"), "text"
        )
        rows = self.spread(answers.unionByName(texts), "block", "t")
        schema = "t long, stems binary, rare binary, pair_total long, rare_total long, kin int, met binary"
        self.weighed = self.persist(self.run("weigh", rows, schema, **self.weights))
        totals = self.collect(self.weighed.select("t", "pair_total", "rare_total", "kin"))
        self.totals, self.kin = self.decider.totals(totals)

    def neighbours(self) -> None:
        F = self.F
        met = self.weighed.select("t", "met")
        neighbours = self.run("neighbours", met, "l long, r long, pairs int, share int", totals=self.totals)
        self.neighboured = self.persist(neighbours)
        shares = self.neighboured.select(F.col("l").alias("t"), "share")
        shares = shares.unionByName(self.neighboured.select(F.col("r").alias("t"), "share"))
        self.shares = self.collect(self.run("shares", self.sorted(shares, "t"), "t long, usual int"))

    def look(self) -> None:
        F = self.F
        least, crowded = self.decider.crowds(self.shares)
        self.sides = self.persist(self.weighed.select("t", "stems", "rare").repartition(self.partitions, "t"))
        blocks = self.partitions * -(-self.decider.texts() // (self.partitions * _HOMES)) or 1
        knows = {"least": least, "totals": self.totals, "blocks": blocks}
        schema = "t long, block long, home long, pairs int, share int, is_left boolean"
        pairs = self.sorted(self.run("compared", self.neighboured, schema, **knows), "t", "block", "home")
        # The one of two texts that has less to carry is sent to where the other one is, and once for all others that are there.
        visits = self.run("visits", pairs, "t long, block long, data binary").join(self.sides, "t")
        homes = self.sides.select(F.pmod("t", F.lit(blocks)).alias("block"), F.lit(None).cast("binary").alias("data"), "t", "stems")
        both = homes.unionByName(visits.select("block", "data", "t", "stems"))
        both = self.spread(both.withColumn("visits", F.col("data").isNotNull()), "block", "visits")
        self.looked = self.persist(self.run("look", both, _LOOKED))
        mates = self.run("mates", self.looked.drop("evidence"), "t long, share int, other long, mate boolean", crowded=crowded)
        mates = self.sorted(mates, F.col("t"), F.col("share").desc(), F.col("other"))
        found = self.collect(self.run("usual", mates, "t long, share float"))
        self.usual = self.decider.usual(self.shares, found, self.kin)

    def read(self) -> None:
        worth = self.run(
            "worth",
            self.looked,
            "l long, r long, evidence binary, l_is_shorter boolean",
            totals=self.totals,
            usual=self.usual,
        )
        read = self.collect(self.run("read", self.both(worth, self.texts, "text"), _READ, **self.mask))
        import pyarrow.compute as pc

        is_pair = pc.less(read.column("l"), read.column("r"))
        counts = read.filter(pc.invert(is_pair)).column("evidence").to_pylist()
        self.prior = self.decider.prior(counts)
        self.decider.reworded(read.filter(is_pair), self.prior, self)

    def excerpts(self) -> DataFrame:
        """The passages that are told, after all copies are known."""
        with self.stage("fingerprints"):
            pairs = self.sharing()
            hubs = self.hubs(pairs)
        with self.stage("passages"):
            rows = self.both(pairs, self.texts, "text", hubs=hubs)
            found = self.run("passages", rows, "l long, r long, data binary", **self.no_excerpts)
            told = self.decider.excerpts(self.collect(found))
            return self.result(self.named(self.frame(told)), len(told))

    def sharing(self) -> DataFrame:
        """Pairs of texts, the shorter one first, that share fingerprints enough to be read."""
        F = self.F
        texts = self.texts.select("t", "text")
        followers = self.frame(self.decider.followers())
        speakers = texts.select(F.col("t").alias("speaker"), F.col("text").alias("speaker_text"))
        followers = followers.join(speakers, "speaker").select("t", F.col("speaker_text").alias("speaker"))
        held = self.run("all_fingerprints", texts.join(followers, "t", "left"), _HELD)
        held = self.sorted(held, "fingerprint", "words", "t")
        found = self.run("overlaps", held, _OVERLAPS).where("kind = 0")
        pairs = found.select(F.col("a").alias("l"), F.col("b").alias("r"), "count", "crowded", "needed")
        pairs = self.sorted(pairs, "l", "r")
        stories, known = self.decider.stories()
        return self.persist(self.run("choose", pairs, "l long, r long, crowd boolean", stories=stories, known=known))

    def named(self, told: DataFrame) -> DataFrame:
        """Passages with the ids of articles for their numbers."""
        F = self.F
        ids = self.articles.select("n", "id")
        for place in ("host", "source"):
            told = told.join(ids.select(F.col("n").alias(f"{place}_n"), F.col("id").alias(place)), f"{place}_n")
        others = told.select("at", F.explode("others_n").alias("n")).join(ids, "n")
        others = others.groupBy("at").agg(F.sort_array(F.collect_list("id")).alias("others"))
        told = told.join(others, "at", "left")
        nobody = F.array().cast("array<string>")
        return told.withColumn("others", F.coalesce("others", nobody)).select(*_EXCERPTS)

    # What is asked by who decides.

    def closest(self, sample: Any, crowds: Any, most: int) -> Any:
        texts = self.texts.select("t", "text")
        sampled = self.frame(sample).join(texts, "t").select("crowd", "text")
        commons = self.collect(self.run("common_slots", self.sorted(sampled, "crowd"), "crowd long, common binary"))
        commons = dict(zip(commons.column("crowd").to_pylist(), commons.column("common").to_pylist()))
        of_crowds = self.frame(crowds).join(texts, "t").select("crowd", "t", "text")
        closest = self.run("closest", of_crowds, "crowd long, distance long, t long", commons=commons, most=most)
        return self.collect(closest)

    def compare(self, pairs: Any, glance: int) -> Any:
        rows = self.frame(pairs).select("l", "r", self.F.lit(0).alias("round"))
        return self.collect(self.compared(rows, glance, _hubs(pairs)))

    def overlaps(self, whole: bytes) -> Any:
        F = self.F
        held = self.run("fingerprints", self.texts.select("t", "text"), _HELD, whole=whole)
        held = self.sorted(held, "fingerprint", "words", "t")
        found = self.persist(self.run("overlaps", held, _OVERLAPS))
        pairs = found.where("kind = 0").groupBy(F.col("a").alias("l"), F.col("b").alias("r"))
        pairs = pairs.agg(F.sum("count").alias("count"), F.max("needed").alias("needed")).where("count >= needed")
        common = self.collect(found.where("kind = 1").select("a"))
        crowded = found.where("kind = 2").agg(F.sum("a")).first()
        return self.collect(pairs.select("l", "r", "count")), _four(common.column("a")), int(crowded[0] or 0) if crowded else 0

    def direct(self, pairs: Any) -> Any:
        hubs = _hubs(pairs)
        rows = self.both(self.frame(pairs), self.texts, "text", hubs=hubs)
        rows = self.both(rows, self.sides, "stems", "rare", hubs=hubs)
        knows = {**self.mask, "usual": self.usual, "prior": self.prior}
        return self.collect(self.run("direct", rows, f"{_SIDES}, evidence binary", **knows))

    def side_by_side(self, pairs: Any) -> Any:
        rows = self.both(self.frame(pairs), self.texts, "text", hubs=_hubs(pairs))
        return self.collect(self.run("side_by_side", rows, f"{_SIDES}, covered float"))

    # What comes of it.

    def result(self, df: DataFrame, rows: int) -> DataFrame:
        from pyspark import StorageLevel

        df = df.persist(StorageLevel.MEMORY_AND_DISK)
        try:
            _check_same(rows, df.count())
        except ValueError:
            df.unpersist()
            raise
        return df

    def members(self) -> DataFrame:
        F = self.F
        with self.stage("members"):
            members = self.frame(_signed(self.found))
            ids = self.articles.select("n", "id")
            names = ids.select(F.col("n").alias("representative_n"), F.col("id").alias("representative"))
            others = ids.select(F.col("n").alias("via_n"), F.col("id").alias("via"))
            # They are few: of a join by a column that is mostly null one task would do all the work.
            judged = members.where(F.col("via_n").isNotNull()).select("n", "via_n").join(others, "via_n").select("n", "via")
            named = members.join(ids, "n").join(names, "representative_n").join(judged, "n", "left")
            columns = ("cluster", "id", "representative", "relation", "similarity", "evidence", "via")
            return self.result(named.select(*columns), len(self.found))

    def kept(self) -> DataFrame:
        with self.stage("removals"):
            removed = self.decider.removals(self)
            kept = self.articles.join(self.frame(removed), "n", "left_anti")
            return self.result(kept.select("row.*"), self.rows - len(removed))


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _check_same(expected: int, found: int) -> None:
    """Refuses to go on if rows were lost on the way."""
    if expected != found:
        raise ValueError(
            f"the rows changed during the run: {expected} were expected and {found} came. An executor that held some was lost, and they "
            "came out differently when computed again, as of uuid(), rand() or monotonically_increasing_id(): run on df.checkpoint(), "
            "or on rows that were written and read again"
        )


def _one(table: Any) -> Any:
    """A table as one record batch."""
    import pyarrow as pa

    batches = table.combine_chunks().to_batches()
    if len(batches) == 1:
        return batches[0]
    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in table.schema], schema=table.schema)


def _four(numbers: Any) -> bytes:
    """Numbers of four bytes each."""
    return _packed("I", numbers)


def _eight(numbers: Any) -> bytes:
    """Numbers of eight bytes each."""
    return _packed("Q", numbers)


def _packed(kind: str, numbers: Any) -> bytes:
    import sys
    from array import array

    found = array(kind, (number if isinstance(number, int) else number.as_py() for number in numbers))
    if sys.byteorder != "little":
        found.byteswap()
    return found.tobytes()


def _hubs(pairs: Any) -> list[int]:
    """Texts that very many of some pairs have, those with most first."""
    import pyarrow as pa
    import pyarrow.compute as pc

    table = pa.table(pairs)
    counts = pc.value_counts(pa.chunked_array(table.column("l").chunks + table.column("r").chunks, pa.int64()))
    many = counts.filter(pc.greater(counts.field("counts"), _HUB))
    order = pc.array_sort_indices(many.field("counts"), order="descending")
    hubs: list[int] = many.field("values").take(order)[:_HUBS].to_pylist()
    return hubs


def _same(copied: Any, exact: list[str]) -> Any:
    """Articles that have exact copies, with a number for what these have in common."""
    import pyarrow as pa

    numbers: dict[tuple[int, ...], int] = {}
    keys = zip(*(copied.column(name).to_pylist() for name in exact))
    same = [numbers.setdefault(key, len(numbers)) for key in keys]
    return pa.record_batch({"same": pa.array(same, pa.int64()), "n": copied.column("n")})


def _signed(members: Any) -> Any:
    """Members without unsigned numbers, which Spark does not have."""
    import pyarrow as pa

    table = pa.table(members)
    signed = [
        field.with_type(pa.int64()) if pa.types.is_unsigned_integer(field.type) else field
        for field in table.schema.field("evidence").type
    ]
    at = table.schema.get_field_index("evidence")
    return table.set_column(at, "evidence", table.column("evidence").cast(pa.struct(signed)))
