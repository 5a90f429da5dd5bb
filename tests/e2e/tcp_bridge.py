"""Forward TCP between a network namespace and the machine over a Unix socket.

python -m tests.e2e.tcp_bridge tcp PORT unix PATH     inside: a port that leads to the socket
python -m tests.e2e.tcp_bridge unix PATH tcp PORT     outside: the socket that leads to a port
"""

from __future__ import annotations

import asyncio
import sys

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def dial(kind: str, place: str) -> Streams:
    if kind == "unix":
        return await asyncio.open_unix_connection(place)
    return await asyncio.open_connection("127.0.0.1", int(place))


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def main(here: str, at: str, there: str, to: str) -> None:
    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await dial(there, to)
        except OSError:
            writer.close()
            return
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))

    if here == "unix":
        server: asyncio.Server = await asyncio.start_unix_server(carry, at)
    else:
        server = await asyncio.start_server(carry, "127.0.0.1", int(at))
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:5]))
