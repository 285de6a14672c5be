"""What a submission sees of this machine: the system's and Python's own files, and the course's tools."""

import os
import shutil
import sys
import sysconfig
from pathlib import Path

import stablenets

PACKAGE = Path(stablenets.__file__).parent
# What a submission may import of the package: tools, and nothing that an exercise asks to be written.
AVAILABLE = (
    "__init__.py", "_arguments.py", "activations.py", "claims.py", "data.py", "networks.py", "phrases.py",
    "plots", "training.py", "typeset.py", "grading/__init__.py", "grading/sandbox/__init__.py",
    "grading/sandbox/wire.py", "grading/sandbox/inside",
)  # fmt: skip
WITHHELD = (
    '"""Left out while a submission is graded."""\n\n'
    'raise ImportError("stablenets.{name} is not there when an answer is graded: the exercise asks you to write it")\n'
)


def environment() -> dict[str, str]:
    """Return the environment of a submission, without its home and where it finds the package."""
    return {
        "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg",
        "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0", "IPYTHONDIR": "/student/.ipython",
        "MPLCONFIGDIR": "/student/.matplotlib", "PYTHONWARNINGS": "ignore", "TMPDIR": "/student",
    }  # fmt: skip


def mounts(folder: Path) -> list[str]:
    """Return bubblewrap's options that show these, read-only, and nothing else."""
    options = ["--as-pid-1", "--die-with-parent", "--new-session", "--hostname", "sandbox", "--clearenv"]
    for name in ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin"):
        if os.path.islink(name):
            options += ["--symlink", os.readlink(name), name]
        elif os.path.isdir(name):
            options += ["--ro-bind", name, name]
    # First, because Python or the package may be below it.
    options += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    folders = _python_folders()
    # Made here, because bubblewrap closes those that it makes to all but their owner.
    for parent in ["/etc", *sorted({str(parent) for path in folders for parent in Path(path).parents})]:
        options += ["--perms", "0755", "--dir", parent]
    for path in folders:
        options += ["--ro-bind", path, path]
    for path in ("/etc/ld.so.cache", "/etc/fonts", "/etc/alternatives"):
        options += ["--ro-bind-try", path, path]
    if any(PACKAGE.is_relative_to(path) for path in [*folders, "/usr"]):
        options += ["--tmpfs", str(PACKAGE), "--remount-ro", str(PACKAGE)]
    for name, place in (("course", "/course"), ("course/passwd", "/etc/passwd")):
        options += ["--ro-bind", str(folder / name), place]
    options += ["--tmpfs", "/student", "--dir", "/dev/shm", "--chdir", "/"]
    for name, value in {**environment(), "HOME": "/student", "PYTHONPATH": "/course"}.items():
        options += ["--setenv", name, value]
    return [*options, "--remount-ro", "/dev", "--remount-ro", "/tmp", "--remount-ro", "/"]


def _python_folders() -> list[str]:
    """Return the folders that Python runs from, without those inside another."""
    names = {sysconfig.get_path(kind) for kind in ("stdlib", "platstdlib", "purelib", "platlib", "scripts")}
    binary = Path(sys.executable)
    names |= {sysconfig.get_config_var("LIBDIR"), str(binary.parent), str(binary.resolve().parent)}
    names |= {str(Path(sys.prefix) / "pyvenv.cfg")}
    system = ("/usr", "/lib", "/bin")
    paths = sorted(name for name in names if name and os.path.exists(name) and not name.startswith(system))
    return [path for path in paths if not any(path != other and path.startswith(other + "/") for other in paths)]


def write_package(course: Path, user: int | None) -> None:
    """Write the package as a submission may see it, and the file of users that names the student's."""
    visible = course / "stablenets"
    for name in AVAILABLE:
        target = visible / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (PACKAGE / name).is_dir():
            shutil.copytree(PACKAGE / name, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(PACKAGE / name, target)
    shutil.move(visible / "grading/sandbox/inside/stand_in.py", visible / "checks.py")
    for path in PACKAGE.iterdir():
        name = path.name.removesuffix(".py")
        if (path.suffix == ".py" or (path / "__init__.py").exists()) and not (
            (visible / name).exists() or (visible / f"{name}.py").exists()
        ):
            (visible / f"{name}.py").write_text(WITHHELD.format(name=name), encoding="utf-8")
    number = user if user is not None else 1000
    (course / "passwd").write_text(f"student:x:{number}:{number}::/student:/bin/sh\n", encoding="utf-8")
