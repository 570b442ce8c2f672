"""Templates of the HTML pages."""

from typing import Any

from .compat import require


def page_template(package: str | None, name: str, *, extra: str = "train", **filters: Any) -> Any:
    """Load the jinja2 template of a page.

    package (Optional[str]): The package with the template in its folder `templates`.
    name (str): The file name of the template.
    extra (str): The extra that installs jinja2, for the error.
    filters (Any): The filters of the template by name.
    RETURNS (Any): The template. It escapes values, and fails if one is missing.
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
