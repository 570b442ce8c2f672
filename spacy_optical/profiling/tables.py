"""The figures of a report as tables of text, for every place that shows them."""

from collections.abc import Iterator

from .cells import Cell, Table, cell, number, score, used_columns
from .ratios import macro_languages
from .schema import Accuracy, Estimate, ProfileReport, Record, TypeAccuracy


def threads_text(threads: int) -> str:
    """Write a number of threads.

    threads (int): The number.
    RETURNS (str): The text.
    """
    return "1 thread" if threads == 1 else f"{threads} threads"


def cost_table(report: ProfileReport) -> Table:
    """What each pipeline costs, with its macro F1."""
    sizes = report.settings.batch_sizes
    header = (
        "Pipeline",
        "Macro F1",
        *(f"words/s, batch {size}" for size in sizes),
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "Load s",
        "Peak RSS MB",
        "above floor MB",
        "Disk MB",
    )
    rows = []
    for found in report.profiles:
        rates = {one.batch_size: one.words_per_second for one in found.throughput}
        latency, memory = found.latency, found.memory
        rows.append(
            (
                Cell(found.name),
                score(found.macro_f1),
                *(cell(rates.get(size)) for size in sizes),
                cell(_part(latency, "p50_ms")),
                cell(_part(latency, "p95_ms")),
                cell(_part(latency, "p99_ms")),
                cell(_part(found.start, "load_seconds")),
                cell(_part(memory, "peak_rss_mb")),
                cell(_part(memory, "above_floor_mb")),
                cell(_part(found.disk, "mb")),
            )
        )
    threads = threads_text(report.settings.threads)
    caption = f"Cost and macro F1; {threads}, latency of one text at a time"
    return used_columns(Table(caption, header, tuple(rows)))


def ratio_table(report: ProfileReport) -> Table | None:
    """Each pipeline against the baseline, or None without one."""
    if report.baseline is None:
        return None
    sizes = report.settings.batch_sizes
    header = (
        "Pipeline",
        "F1 kept %",
        *(f"Speed, batch {size}" for size in sizes),
        "Speed, one text",
        "Less peak RSS",
        "Less above floor",
        "Less disk",
    )
    rows = []
    for found in report.profiles:
        ratios = found.ratios
        if ratios is not None and found.name != report.settings.baseline:
            rows.append(
                (
                    Cell(found.name),
                    score(ratios.f1),
                    *(cell(ratios.words_per_second.get(size), unit="×") for size in sizes),
                    cell(ratios.p50, unit="×"),
                    cell(ratios.peak_rss, unit="×"),
                    cell(ratios.above_floor, unit="×"),
                    cell(ratios.disk, unit="×"),
                )
            )
    if not rows:
        return None
    caption = f"Against {report.settings.baseline}, measured in the same rounds; above 1× is better"
    return used_columns(Table(caption, header, tuple(rows)))


def f1_table(report: ProfileReport) -> Table | None:
    """F1 by language, the rows of other models included, or None without any."""
    codes = list(report.languages)
    codes.extend(code for row in report.extra for code in row.f1 if code not in codes)
    if not codes:
        return None
    macro_codes = macro_languages(report.languages or codes, report.settings.source_language)
    rows = [
        (
            Cell(found.name),
            *(score(found.accuracy[code].f1 if code in found.accuracy else None) for code in codes),
            score(found.macro_f1),
        )
        for found in report.profiles
    ]
    for row in report.extra:
        known = [row.f1[code] for code in macro_codes if code in row.f1]
        macro = sum(known) / len(known) if len(known) == len(macro_codes) else None
        rows.append((Cell(row.name), *(score(row.f1.get(code)) for code in codes), score(macro)))
    caption = f"Entity F1 in percent by language; macro is the mean over {', '.join(macro_codes)}"
    return Table(caption, ("Pipeline", *codes, "Macro"), tuple(rows))


def type_table(report: ProfileReport) -> Table:
    """Precision, recall and F1 of every label in every language."""
    rows = [
        (
            Cell(found.name),
            Cell(code),
            Cell(label),
            score(one.precision),
            score(one.recall),
            score(one.f1),
            Cell(str(one.entities)),
        )
        for found in report.profiles
        for code, accuracy in found.accuracy.items()
        for label, one in _with_all_types(accuracy)
    ]
    header = ("Pipeline", "Language", "Label", "Precision", "Recall", "F1", "Gold entities")
    return Table("Precision, recall and F1 in percent by language and label", header, tuple(rows))


def start_table(report: ProfileReport) -> Table:
    """From nothing to the first result."""
    rows = [
        (
            Cell(found.name),
            cell(found.start.import_seconds),
            cell(found.start.load_seconds),
            cell(found.start.first_call_ms),
            cell(found.start.total_seconds),
        )
        for found in report.profiles
        if found.start is not None
    ]
    header = ("Pipeline", "Import spaCy s", "Load s", "First call ms", "In all s")
    return Table("From a fresh process to the first result", header, tuple(rows))


def latency_table(report: ProfileReport) -> Table:
    """Percentiles of one text."""
    rows = [
        (
            Cell(found.name),
            cell(found.latency.p50_ms),
            cell(found.latency.p90_ms),
            cell(found.latency.p95_ms),
            cell(found.latency.p99_ms),
            Cell(f"{found.latency.calls:,}"),
        )
        for found in report.profiles
        if found.latency is not None
    ]
    header = ("Pipeline", "p50", "p90", "p95", "p99", "Calls")
    return Table("Latency of nlp(text), one text at a time, ms", header, tuple(rows))


def length_table(report: ProfileReport) -> Table:
    """Median latency by the number of words."""
    rows = [
        (
            Cell(found.name),
            Cell(length_name(one.words_from, one.words_to)),
            Cell(str(one.texts)),
            cell(one.p50_ms),
        )
        for found in report.profiles
        if found.latency is not None
        for one in found.latency.by_length
    ]
    header = ("Pipeline", "Words", "Texts", "p50 ms")
    return Table("Latency of one text by its length", header, tuple(rows))


def length_name(words_from: int, words_to: int | None) -> str:
    """Write a class of lengths.

    words_from (int): The fewest words.
    words_to (Optional[int]): The most words, if there is an end.
    RETURNS (str): The text.
    """
    return f"{words_from}+" if words_to is None else f"{words_from}–{words_to}"


def throughput_table(report: ProfileReport) -> Table:
    """Words a second by batch size."""
    rows = [
        (Cell(found.name), Cell(str(one.batch_size)), cell(one.words_per_second))
        for found in report.profiles
        for one in found.throughput
    ]
    header = ("Pipeline", "Batch size", "words/s")
    return Table("Words a second through nlp.pipe", header, tuple(rows))


def memory_table(report: ProfileReport) -> Table:
    """Peak memory of each phase."""
    measured = [(found.name, found.memory) for found in report.profiles if found.memory is not None]
    phases = list(measured[0][1].phases_mb) if measured else []
    rows = [
        (
            Cell(name),
            *(cell(memory.phases_mb[phase]) for phase in phases),
            cell(memory.peak_rss_mb),
            cell(memory.above_floor_mb),
            cell(memory.steady_rss_mb),
        )
        for name, memory in measured
    ]
    floor = ""
    if report.floor is not None:
        lowest = number(report.floor.peak_rss_mb.value)
        floor = f"; importing spaCy, ONNX Runtime and tokenizers alone: {lowest}"
    header = ("Pipeline", *phases, "Peak", "Above floor", "Steady")
    return Table(f"Peak resident memory by phase, MB{floor}", header, tuple(rows))


def shared_table(report: ProfileReport) -> Table:
    """Memory of several processes together."""
    rows = [
        (
            Cell(found.name),
            Cell(str(found.memory.shared.processes)),
            cell(found.memory.shared.pss_mb),
            cell(found.memory.shared.rss_mb),
            cell(found.memory.pss_mb),
        )
        for found in report.profiles
        if found.memory is not None and found.memory.shared is not None
    ]
    header = ("Pipeline", "Processes", "PSS in all", "Sum of RSS", "PSS of one alone")
    caption = (
        "Memory of nlp.pipe(n_process=…) and its processes together, MB; in PSS a shared page "
        "counts once"
    )
    return Table(caption, header, tuple(rows))


def disk_table(report: ProfileReport) -> Table:
    """Size of every file."""
    rows = [
        (Cell(found.name), Cell(file), Cell(f"{size:,}"))
        for found in report.profiles
        if found.disk is not None
        for file, size in sorted(found.disk.files.items(), key=lambda item: -item[1])
    ]
    return Table("Files, bytes", ("Pipeline", "File", "Bytes"), tuple(rows))


def pieces_table(report: ProfileReport) -> Table | None:
    """How tokenizers cut the words of each language, or None where no pipeline has one."""
    rows = [
        (
            Cell(found.name),
            Cell(code),
            cell(one.pieces_per_word),
            Cell(f"{one.unknown_share * 100:.2f}"),
            Cell(f"{one.words:,}"),
        )
        for found in report.profiles
        for code, one in found.pieces.items()
    ]
    header = ("Pipeline", "Language", "Pieces a word", "Unknown pieces %", "Words")
    caption = "Subword pieces of the gold words"
    return Table(caption, header, tuple(rows)) if rows else None


def _part(record: Record | None, field: str) -> Estimate | float | None:
    """A figure of a part of the file that may be missing."""
    return None if record is None else getattr(record, field)


def _with_all_types(accuracy: Accuracy) -> Iterator[tuple[str, Accuracy | TypeAccuracy]]:
    yield "all", accuracy
    yield from accuracy.by_type.items()
