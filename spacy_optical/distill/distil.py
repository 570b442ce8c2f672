"""The distillation: teacher and plans in, student out."""

from collections.abc import Callable
from itertools import chain, islice
from pathlib import Path

from ..data.docs import read_training_docs
from ..data.layout import CorpusFolder
from ..encoders.fetch import CONFIG, TOKENIZER, WEIGHTS
from ..files import check_replaceable
from ..runtime.pieces import WordPieces
from .calibrate import calibrate
from .config import DistillConfig
from .judge import check_labels, entity_scores
from .loop import train
from .narrow import narrowing
from .plans import read_plans
from .processes import on_main
from .provenance import provenance
from .recipe import StudentRecipe
from .sentences import plain_sentence
from .student import check_width, finished, make_student, neuron_activity, save_tagger
from .tagger import load_tagger
from .vocabulary import trim_vocabulary

# Sentences of each side that show which of the teacher's neurons matter.
SAMPLE = 280


def distill(
    config: DistillConfig,
    teacher: Path,
    out: Path,
    *,
    resume: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> dict:
    """Train a student from a teacher and the plans.

    config (DistillConfig): The config.
    teacher (Path): The teacher's folder.
    out (Path): Folder to write: a Hugging Face token classifier with metrics.json.
    resume (bool): Continue an interrupted run; one that has ended is kept.
    say (Callable[[str], None]): Told one line an epoch.
    RETURNS (dict): The metrics.
    RAISES (OpticalError): If the teacher, the plans or the data are missing or do not belong
        together, or as `train`.
    """
    teacher, out = Path(teacher), Path(out)
    check_replaceable(out, marker=CONFIG)
    big = load_tagger(teacher)
    big.set_precision(config.training.precision)
    corpus = CorpusFolder(config.paths.corpus)
    dev = read_training_docs(corpus.source_dev)
    check_labels(dev, big.labels, corpus.source_dev)
    english, lessons = read_plans(config, teacher)
    data = [corpus.source_train, corpus.source_dev]
    data += [teacher / WEIGHTS, config.paths.encoder / WEIGHTS]
    data += [corpus.bitext(language) for language in config.data.languages]
    record = provenance(config, "student", data)
    if resume and (made := on_main(lambda: finished(out, record["fingerprint"]))):
        say(f"{out} was made from the same already")
        return made
    sides = [side for lesson in lessons.values() for side in (lesson.source, lesson.target)]
    sentences = chain((sentence.words for sentence in english.sentences), *sides)
    vocabulary = trim_vocabulary(
        (teacher / TOKENIZER).read_bytes(), sentences, config.student.vocabulary
    )
    whole = WordPieces((teacher / TOKENIZER).read_bytes())
    sample = english.sentences[:SAMPLE]
    sample += [
        plain_sentence(words, whole)
        for lesson in lessons.values()
        for words in islice(lesson.target, SAMPLE // len(lessons))
    ]
    check_width(big, config.student)
    activity, narrowed = neuron_activity(big, sample, whole), None
    if config.student.width not in (None, big.model.config.hidden_size):
        shape = config.student
        narrowed = narrowing(big, shape.layers, int(shape.width or 0), sample, whole)
    student = make_student(big, config.student, vocabulary, activity, narrowed)
    tags = student.tags
    del big
    if config.training.freeze_embeddings:
        student.freeze_embeddings()
    pieces = WordPieces(vocabulary.tokenizer)
    recipe = StudentRecipe(config, english, lessons, pieces)
    count = sum(p.numel() for p in student.parameters())
    size = f"{count / 1e6:.1f} M parameters, {len(vocabulary.old_ids)} pieces"
    say(f"{size}, {len(recipe.rows)} pairs")
    history = train(
        student,
        recipe,
        config.training,
        seed=config.seed if config.training.seed is None else config.training.seed,
        fingerprint=record["fingerprint"],
        folder=out.with_name(f"{out.name}-checkpoint"),
        judge=lambda model: entity_scores(model, dev, pieces, tags)["ents_f"],
        resume=resume,
        say=say,
    )
    metrics = {**record, "epochs": history.rows, "kept_epoch": history.best + 1}
    metrics["parameters"] = count
    metrics["calibration"] = on_main(lambda: calibrate(student, dev, pieces))
    metrics["english_dev"] = on_main(lambda: entity_scores(student, dev, pieces, tags))
    on_main(lambda: save_tagger(student, vocabulary.tokenizer, metrics, out))
    return metrics
