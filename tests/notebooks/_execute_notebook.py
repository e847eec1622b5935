"""Executes a notebook with nbclient, the program that others execute notebooks with.

    python _execute_notebook.py NOTEBOOK FOLDER RESULT

NOTEBOOK is executed with FOLDER as its working folder; the notebook with its outputs is written to RESULT, also when a
cell fails.
"""
import sys

import nbclient
import nbformat

source, folder, result = sys.argv[1:]
notebook = nbformat.read(source, as_version=4)
metadata = notebook.metadata.copy()
client = nbclient.NotebookClient(
    notebook,
    kernel_name="deno",
    timeout=600,
    resources={"metadata": {"path": folder}},
    record_timing=False,
    coalesce_streams=True,
)
try:
    client.execute()
except nbclient.exceptions.CellExecutionError:
    pass  # it stands in the cell's outputs
finally:
    notebook.metadata = metadata
    nbformat.write(notebook, result)
