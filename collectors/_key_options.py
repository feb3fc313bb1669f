"""What the sources of config keys share: how their names become keys, and how several files are layered."""

from collections.abc import Callable

from pydantic import Field

from collectors._files import FileOptions, read_file
from collectors._unseen import unseen_part
from collectors.readers._config import is_variable
from collectors.readers._keys import Keys, Naming
from detector.collector import Collected, CollectorOptions, Context, Seen
from detector.errors import UnseenError
from detector.model.fingerprints import Fingerprinter
from detector.model.words import SourceClass


class KeyOptions(CollectorOptions):
    """How the names of a source become keys, and which keys are taken."""

    strip: str | tuple[str, ...] = Field(
        (), description="Cut off the front of a name, or the first of several that fits: /prod/app/."
    )
    replace: dict[str, str] = Field(
        {}, description="Texts inside a name and what takes their place, such as a slash by an underscore."
    )
    upper: bool = Field(False, description="Whether names are put in capitals.")
    prefix: str = Field(
        "",
        description="Put in front of each name, after the rest.",
        pattern=r"^([A-Za-z_][A-Za-z0-9_./-]*)?$",
    )
    only: tuple[str, ...] = Field((), description="Globs of the keys that are taken; without one all are.")
    compare: tuple[str, ...] = Field(
        (), description="Keys with a boolean or a short word as value that are to be compared all the same."
    )

    def new_keys(
        self,
        fingerprinter: Fingerprinter,
        *,
        valid: Callable[[str], bool] = is_variable,
        source_class: SourceClass = "literal",
    ) -> Keys:
        """Return an empty collection of keys that are named so."""
        naming = Naming(
            strip=(self.strip,) if isinstance(self.strip, str) else self.strip,
            replace=tuple(self.replace.items()),
            upper=self.upper,
            prefix=self.prefix,
            only=self.only,
        )
        return Keys(
            fingerprinter=fingerprinter,
            naming=naming,
            compare=self.compare,
            valid=valid,
            source_class=source_class,
        )


class KeyFileOptions(FileOptions, KeyOptions):
    """Which files, and what their names become."""


def layered(
    options: KeyFileOptions, context: Context, keys: Keys, fill: Callable[[Keys, bytes, str], tuple[str, ...]]
) -> Collected:
    """Return the keys of all files, of which a later one wins.

    ``fill`` sets the keys of one: (keys, content, path) -> warnings. Raises UnseenError where none is read.
    """
    warnings: list[str] = []
    errors: list[UnseenError] = []
    for path in options.files:
        try:
            told = fill(keys, read_file(context.folder, path), str(path))
        except UnseenError as error:
            errors.append(error)
            keys.unseen.append(unseen_part("*", error))
        else:
            warnings += [f"{path}: {line}" for line in told]
    if len(errors) == len(options.files):
        raise errors[0]
    seen = Seen(sections={"config": keys.section()}, component=options.component)
    return Collected(seen=(seen,), warnings=tuple(warnings))
