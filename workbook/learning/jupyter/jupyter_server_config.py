"""How `manage.py lab` starts JupyterLab: with this folder in JUPYTER_CONFIG_PATH and JUPYTER_PATH.

Beside it: the kernel *Django ORM workbook*, no question about news, Markdown that opens rendered.
"""

import json
from pathlib import Path

KERNEL = "django-orm-workbook"

c = get_config()  # noqa: F821  (Jupyter's)
c.MultiKernelManager.default_kernel_name = KERNEL
c.KernelSpecManager.allowed_kernelspecs = {KERNEL}  # one kernel, so nobody has to choose


def keep_language(model, path, contents_manager, **kwargs):
    """Saving a chapter writes no other Python version into it.

    JupyterLab notes the version of each kernel that a notebook is opened with.
    """
    file = Path(contents_manager.root_dir, path)
    if model["type"] == "notebook" and file.is_file():
        try:
            language = json.loads(file.read_text(encoding="utf-8"))["metadata"]["language_info"]
        except (ValueError, KeyError, TypeError):
            return
        model["content"]["metadata"]["language_info"] = language


c.ContentsManager.pre_save_hook = keep_language
