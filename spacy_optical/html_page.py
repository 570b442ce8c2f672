"""HTML pages that load nothing, made from the templates of a package."""

from typing import Any

from .compat import require


def page_template(package: str | None, name: str, *, extra: str = "train", **filters: Any) -> Any:
    """Load a page's template.

    package (Optional[str]): The package that has it in its folder `templates`.
    name (str): The template's file name.
    extra (str): The extra that installs jinja2, for the error.
    filters (Any): Filters of the template by name.
    RETURNS (Any): The jinja2 template; values are escaped, and a missing one is an error.
    RAISES (OpticalError): If jinja2 is not installed.
    """
    jinja2 = require("jinja2", extra=extra)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(package),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(filters)
    return environment.get_template(name)
