"""Compare spaCy's `ner` on `optical_tok2vec` with the same `ner` on the student in torch.

All are trained by `spacy train` on the same sentences. `optical_tok2vec` runs a frozen bundle: that
of the model, and that of the model after `finetune` on the same sentences. The student of
`optical_transformer` is trained together with `ner`. `profile` measures all on the test file.
A model or pipeline that is already in the output folder is not trained again.

Example: python -m research.benchmarks.tok2vec_ner training/tok2vec --model md
--out docs/results/finetune/tok2vec.json
"""

import argparse
from pathlib import Path
from typing import Any

import spacy
from spacy.cli.train import train
from spacy.language import Language

from spacy_optical import export, finetune, profile
from spacy_optical.data.docs import read_docs
from spacy_optical.distill.tagger import save_tagger
from spacy_optical.export.from_bundle import tagger_of_bundle
from spacy_optical.files import write_json
from spacy_optical.profiling.options import Options
from spacy_optical.profiling.workload import Target
from spacy_optical.runtime.bundle import Bundle, model_path

from .finetune_curve import gold_sets

BATCH = 1000  # words
# As in `spacy init config --pipeline ner` for a transformer.
NER = {
    "@architectures": "spacy.TransitionBasedParser.v2",
    "state_type": "ner",
    "extra_state_tokens": False,
    "hidden_width": 64,
    "maxout_pieces": 2,
    "use_upper": False,
}


def on_bundle(bundle: Path, width: int) -> Language:
    """Make the pipeline without torch, untrained."""
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": width, "upstream": "*"}
    nlp = spacy.blank("xx")
    nlp.add_pipe("optical_tok2vec", config={"model": str(bundle)})
    nlp.add_pipe("ner", config={"model": {**NER, "tok2vec": listener}})
    return nlp


def on_student(student: Path) -> Language:
    """Make the pipeline in torch, untrained."""
    listener = {
        "@architectures": "spacy-transformers.TransformerListener.v1",
        "grad_factor": 1.0,
        "pooling": {"@layers": "reduce_mean.v1"},
    }
    nlp = spacy.blank("xx")
    model = {"@architectures": "spacy_optical.Student.v1", "name": str(student)}
    nlp.add_pipe("optical_transformer", config={"model": model})
    nlp.add_pipe("ner", config={"model": {**NER, "tok2vec": listener}})
    return nlp


def trained(
    nlp: Language, folder: Path, files: list[Path], rate: float, args: argparse.Namespace
) -> Path:
    """Train a pipeline with `spacy train`, and return the folder of the best model."""
    best = folder / "model-best"
    if best.is_dir():
        return best
    config = nlp.config.copy()
    config["paths"].update(train=str(files[0]), dev=str(files[1]))
    config["training"].update(max_epochs=args.epochs, max_steps=0, eval_frequency=args.every)
    config["training"]["patience"] = 0
    words = sum(map(len, read_docs(files[0])))
    config["training"]["optimizer"]["learn_rate"] = {
        "@schedules": "warmup_linear.v1",
        "warmup_steps": words // BATCH // 2,
        "total_steps": args.epochs * words // BATCH,
        "initial_rate": rate,
    }
    config["training"]["batcher"]["size"] = BATCH
    folder.mkdir(parents=True, exist_ok=True)
    config.to_disk(folder / "config.cfg")
    train(folder / "config.cfg", folder)
    return best


def compared(args: argparse.Namespace) -> dict[str, Any]:
    """Train and profile the pipelines."""
    (gold,) = gold_sets([args.language], args.files, args.mirror).values()
    args.folder.mkdir(parents=True, exist_ok=True)
    files = gold.write("all", 0, args.folder)
    start = Bundle.from_disk(model_path(args.model))
    tagger = tagger_of_bundle(start)
    student, bundle = args.folder / "student", args.folder / "vectors"
    if not bundle.is_dir():
        save_tagger(tagger, start.tokenizer, {}, student)
        export(student, bundle, {args.language: files[1]}, with_vectors=True, say=print)
    width = tagger.model.config.hidden_size
    own, own_bundle = args.folder / "own", args.folder / "own-vectors"
    if not own.is_dir():
        finetune(args.model, files[0], files[1], own, say=print)
    if not own_bundle.is_dir():
        dev = {args.language: files[1]}
        export(own / "student", own_bundle, dev, with_vectors=True, say=print)
    pipelines = {
        "optical_tok2vec": trained(
            on_bundle(bundle, width), args.folder / "on-bundle", files, 1e-3, args
        ),
        "optical_tok2vec after finetune": trained(
            on_bundle(own_bundle, width), args.folder / "on-own", files, 1e-3, args
        ),
        "optical_transformer": trained(
            on_student(student), args.folder / "on-student", files, args.rate, args
        ),
    }
    report = profile(
        [Target(name, str(path), "pipeline") for name, path in pipelines.items()],
        gold={args.language: files[2]},
        options=Options(baseline="optical_transformer"),
        say=print,
    )
    write_json(args.folder / "metrics.json", report.model_dump(mode="json"))
    return {
        one.name: {
            "f1": round(100 * one.accuracy[args.language].f1.value, 2),
            "words_per_second": round(one.throughput[0].words_per_second.value),
        }
        for one in report.profiles
    }


def main() -> None:
    """Print the figures, and write them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="Folder for the pipelines")
    parser.add_argument("--model", default="md", help="The model with the encoder")
    parser.add_argument("--language", default="sw", help="A language of finetune_curve")
    parser.add_argument("--epochs", type=int, default=5, help="Passes of `spacy train`")
    parser.add_argument("--rate", type=float, default=3e-4, help="Learning rate of the student")
    parser.add_argument("--every", type=int, default=200, help="Steps between evaluations")
    parser.add_argument("--files", type=Path, default=Path("data/finetune"), help="Fetched files")
    parser.add_argument(
        "--mirror", type=Path, help="Local folder to copy the files from, instead of downloading"
    )
    parser.add_argument("--out", type=Path, help="JSON file to write")
    args = parser.parse_args()
    figures = compared(args)
    print(figures)
    if args.out is not None:
        about = {"model": args.model, "language": args.language, "epochs": args.epochs}
        write_json(args.out, {**about, "pipelines": figures})


if __name__ == "__main__":
    main()
