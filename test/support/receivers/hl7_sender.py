"""An HL7 sender of another make: python-hl7's MLLP client and parser.

    hl7_sender.py PORT CERT KEY CA

Reads messages from standard input, each as a JSON string on a line, sends them one by one on one TLS connection, and prints what it understood of each answer as JSON: its fields and segments, or
{"closed": true} where the connection was closed instead.
"""
import asyncio
import json
import ssl
import sys

import hl7
from hl7.mllp import open_hl7_connection

port = int(sys.argv[1])
cert, key, authority = sys.argv[2:5]
context = ssl.create_default_context(cafile=authority)
context.load_cert_chain(cert, key)
context.check_hostname = False


def understood(answer):
    head, msa = answer.segment("MSH"), answer.segment("MSA")
    errors = answer.segments("ERR") if "ERR" in [str(segment[0]) for segment in answer] else []
    return {
        "to": [str(head[5]), str(head[6])],
        "type": str(head[9]),
        "version": str(head[12]),
        "code": str(msa[1]),
        "controlId": str(msa[2]),
        "errors": [str(error[3]) for error in errors],
    }


async def main():
    reader, writer = await open_hl7_connection("127.0.0.1", port, ssl=context, encoding="utf-8")
    for line in sys.stdin:
        writer.writemessage(hl7.parse(json.loads(line)))
        try:
            await writer.drain()
            answer = understood(await asyncio.wait_for(reader.readmessage(), 30))
        except (asyncio.IncompleteReadError, ConnectionError):
            print(json.dumps({"closed": True}), flush=True)
            return
        print(json.dumps(answer), flush=True)
    writer.close()


asyncio.run(main())
