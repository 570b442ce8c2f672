"""The errors of the experiments, in addition to those of the package."""

from spacy_optical import errors


class Errors(errors.Errors):
    """Messages by code, as format strings."""

    E239 = "{path} has no arm '{name}'. It has {known}."
    E315 = "{source} and {target} share no sentence ids. Use files of the same text."
    E623 = "The study names {unknown}, but the pipelines are {names}. Correct the study."
    E624 = "There are no results. Name folders with a metrics.json, or --arms FOLDER."
    E630 = "{path} has no metrics files of arms. Run: python -m research train"
    E631 = (
        "{one} and {other} were evaluated on different gold ({lang} differs), so they cannot be "
        "compared. Run the older one again, or use different folders."
    )
    E632 = "The metrics files have no language in common. Make separate tables."
