"""Executes a notebook with nbclient, the program that others execute notebooks with.

    python _execute_notebook.py NOTEBOOK FOLDER RESULT

NOTEBOOK is executed with FOLDER as its working folder; the notebook with its outputs is written to RESULT, also when a
cell fails.
"""
import queue
import sys

import nbclient
import nbformat


async def take_late_outputs(cell, cell_index, execute_reply):
    """On a busy machine the kernel says that a cell is done before its last outputs are sent; nbclient drops those."""
    while True:
        try:
            message = await client.kc.iopub_channel.get_msg(timeout=0.5)
        except queue.Empty:
            return
        if message["parent_header"].get("msg_id") == execute_reply["parent_header"]["msg_id"]:
            client.process_message(message, cell, cell_index)


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
    on_cell_executed=take_late_outputs,
)
try:
    client.execute()
except nbclient.exceptions.CellExecutionError:
    pass  # it stands in the cell's outputs
finally:
    notebook.metadata = metadata
    nbformat.write(notebook, result)
