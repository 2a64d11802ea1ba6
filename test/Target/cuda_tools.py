"""Where the CUDA toolkit's programs are that tests use."""
import glob
import os
import re
import shutil
import subprocess

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def find(name):
    """The program's path, or None: PATH, then the places of ptxas (lib/Target),
    then those of the packages that tools/dev/toolkit.sh installs."""
    private = os.environ.get("QDELTA_TOOLKIT", os.path.join(ROOT, "build", "toolkit"))
    folders = [os.path.join(os.environ["CUDA_HOME"], "bin")] if "CUDA_HOME" in os.environ else []
    folders += ["/usr/local/cuda/bin", os.path.join(private, "bin")]
    folders += glob.glob(os.path.join(private, "packages", "nvidia", "*", "bin"))
    return shutil.which(name) or shutil.which(name, path=os.pathsep.join(folders))


def release_of(program):
    """The release that a program of the toolkit says it is of, such as 13.0."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
    return (re.findall(r"release (\d+\.\d+)", said) or ["unknown"])[0]


def release_of_table(path):
    """The release of ptxas that a table was written with."""
    return (re.findall(r"^# Written by .* release (\d+\.\d+)", open(path).read(), re.M) or ["none"])[0]
