"""Write the sample studies, or check that the files here are what would be written.

    python generate.py            write every file
    python generate.py --check    compare only; exit status 1 if a file differs, lacks or is too many
    python generate.py --only mammo us-loop    write just these folders (no README, facts or contact sheet)
"""

import argparse
import sys
from importlib import import_module
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from generator import dicom, origin  # noqa: E402

FOLDERS = [
    "ct-chest", "mr-head", "dx-chest", "mammo", "us-loop", "enhanced-ct",
    "sr-report", "pdf-report", "cda-report", "odd-text",
]
LIMIT = 4_000_000


def contents(folder):
    """All files of a folder: name -> bytes."""
    files = {name: dicom.written(ds) for name, ds in folder.instances}
    files |= folder.extra
    return files | {"ORIGIN.md": origin.origin(folder, files)}


def everything(names):
    """Path (relative, with /) -> bytes of all the files of the folders `names`."""
    folders = [import_module(f"generator.{name.replace('-', '_')}").build() for name in names]
    made = {folder.name: contents(folder) for folder in folders}
    files = {f"{name}/{file}": data for name, group in made.items() for file, data in group.items()}
    if names == FOLDERS:
        files["contact-sheet.png"] = origin.contact_sheet(folders)
        files["facts.json"] = origin.facts(made)
        files["README.md"] = origin.readme(folders, made, len(files["contact-sheet.png"]) + len(files["facts.json"]))
    return files


def differences(files):
    """What stands on the disk otherwise than in `files`."""
    here = {p.relative_to(HERE).as_posix() for name in FOLDERS for p in (HERE / name).rglob("*") if p.is_file()}
    for path in sorted(here - set(files)):
        yield f"{path}: not a generated file"
    for path, data in files.items():
        at = HERE / path
        if not at.is_file():
            yield f"{path}: missing"
        elif at.read_bytes() != data:
            yield f"{path}: differs"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--only", nargs="+", metavar="FOLDER", choices=FOLDERS, help="only these folders")
    options = parser.parse_args()
    if options.check and options.only:
        parser.error("--check looks at all folders")
    files = everything(options.only or FOLDERS)
    total = sum(map(len, files.values()))
    if total > LIMIT:
        sys.exit(f"{total} bytes: more than {LIMIT}")
    if options.check:
        found = list(differences(files))
        print("\n".join(found) or f"{len(files)} files as generated, {total} bytes")
        sys.exit(1 if found else 0)
    for path, data in files.items():
        at = HERE / path
        at.parent.mkdir(exist_ok=True)
        at.write_bytes(data)
    print(f"{len(files)} files, {total} bytes")


if __name__ == "__main__":
    main()
