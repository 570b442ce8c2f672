"""The errors of the experiments, beside those of the package."""

from spacy_optical import errors


class Errors(errors.Errors):
    """Messages by code, as format strings."""

    E239 = "{path} has no {what} '{name}'; it has {known}"
    E623 = "The study speaks of {unknown}, which is not among {names}; name what there is"
    E624 = "There is nothing to show; give folders with a metrics.json, or --arms FOLDER"
    E630 = "{path} holds no metrics files of arms; run: python -m research train"
    E631 = (
        "{one} and {other} were not judged on the same gold ({lang} differs), so they do not "
        "compare; run the older of them again, or keep them in folders of their own"
    )
    E632 = "The metrics files have no language in common; make a table of each folder by itself"
