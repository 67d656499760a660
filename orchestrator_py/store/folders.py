"""The folders of the runs root and of one task, made so that whoever sees the lock file knows that they are durable."""

from orchestrator_py.store.files import fsync_folder, make_folders, replace_bytes
from orchestrator_py.store.layout import Layout, TaskLayout


def make_runs_root(layout: Layout) -> None:
    """Makes the runs folder, with a `.gitignore` that keeps all of it out of version control. A link that stands there is followed.

    The folders above it are durable then; itself it is as soon as the lock of a task is seen in it.
    """
    if not layout.runs_root.is_dir():
        make_folders(layout.runs_root.parent, durable=True)
        make_folders(layout.runs_root)
        replace_bytes(layout.ignore_file, b"*\n", durable=False)


def make_task_folders(task: TaskLayout) -> None:
    """Makes what is missing: whether a run can be recorded here shows before it begins."""
    make_runs_root(task.layout)
    for folder in (task.folder, task.pending, task.rollups, task.mttr_delta.parent):
        make_folders(folder)


def make_durable_task_folders(task: TaskLayout) -> None:
    """Makes what is missing. The lock file, which is created after this, comes last."""
    make_task_folders(task)
    if not task.lock.exists():
        for folder in (task.layout.runs_root.parent, task.layout.runs_root, task.folder):
            fsync_folder(folder)
