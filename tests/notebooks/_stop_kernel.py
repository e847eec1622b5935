"""Presses Stop while a cell runs, as JupyterLab does, and runs another cell afterwards.

    python _stop_kernel.py FOLDER SIGN FIRST SECOND

Runs the cell FIRST in FOLDER; when the file SIGN is not empty any more, stops it; then runs the cell SECOND. Prints
what both cells did as JSON.
"""
import asyncio
import json
import os
import sys

import jupyter_client

folder, sign, first, second = sys.argv[1:]


async def main():
    kernel = jupyter_client.AsyncKernelManager(kernel_name="deno")
    await kernel.start_kernel(cwd=folder)
    client = kernel.client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=60)
        running = asyncio.ensure_future(run(client, first))
        while not running.done() and not (os.path.exists(sign) and os.path.getsize(sign) > 0):
            await asyncio.sleep(0.1)
        await kernel.interrupt_kernel()
        results = [await running, await run(client, second)]
        print(json.dumps({"cells": results, "lives": await kernel.is_alive()}))
    finally:
        client.stop_channels()
        await kernel.shutdown_kernel(now=True)


async def run(client, code):
    outputs = []
    reply = await client.execute_interactive(
        code, timeout=240, output_hook=lambda message: outputs.append(message)
    )
    text = "".join(
        message["content"]["text"] for message in outputs if message["header"]["msg_type"] == "stream"
    )
    return {"status": reply["content"]["status"], "error": reply["content"].get("evalue"), "text": text}


asyncio.run(main())
