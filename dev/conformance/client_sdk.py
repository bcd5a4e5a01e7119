"""The Python SDK as a client of ours: lists the tools and calls one.

Arguments: the URL, the way (legacy, auto, sse), a bearer token. Prints what it got as JSON.
"""

import asyncio
import json
import sys

from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client


async def main(url: str, way: str, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    if way == "sse":
        await look(sse_client(url, headers=headers), "legacy")
        return
    async with create_mcp_http_client(headers=headers) as http:
        await look(streamable_http_client(url, http_client=http), way)


async def look(transport, mode: str) -> None:
    async with Client(transport, mode=mode) as client:
        tools = (await client.list_tools()).tools
        result = await client.call_tool("get_automation_runs", {"limit": 1})
        print(json.dumps({
            "tools": [tool.name for tool in tools],
            "runs": result.structured_content["runs"],
            "server": client.server_info.name,
        }))


asyncio.run(main(*sys.argv[1:]))
