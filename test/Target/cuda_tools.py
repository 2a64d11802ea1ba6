"""Where the CUDA toolkit's programs are that tests use."""
import glob
import os
import shutil

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def find(name):
    """The program's path, or None: PATH, then the places of ptxas (lib/Target),
    then those of the packages that tools/dev/toolkit.sh installs."""
    private = os.environ.get("QDELTA_TOOLKIT", os.path.join(ROOT, "build", "toolkit"))
    folders = [os.path.join(os.environ["CUDA_HOME"], "bin")] if "CUDA_HOME" in os.environ else []
    folders += ["/usr/local/cuda/bin", os.path.join(private, "bin")]
    folders += glob.glob(os.path.join(private, "packages", "nvidia", "*", "bin"))
    return shutil.which(name) or shutil.which(name, path=os.pathsep.join(folders))
