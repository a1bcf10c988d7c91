"""An HL7 receiver of another make: python-hl7's MLLP server and parser. It does with each message what the plan says and notes what it understood.

    hl7_receiver.py PORT NOTES PLAN [CERT KEY CA]

PLAN is a list of AA, AE, AR, other (an acknowledgement of another message), noise, silent, cut, die, divided by commas; after its end everything is AA.
`die` ends the process with SIGKILL after the message was noted and before it is acknowledged. With CERT, KEY and CA it speaks TLS and demands a client certificate.
"""
import asyncio
import json
import os
import signal
import ssl
import sys

import hl7
from hl7.mllp import start_hl7_server

port, notes, plan = int(sys.argv[1]), sys.argv[2], [step for step in sys.argv[3].split(",") if step]
connections = 0


def understood(message):
    def field(segment, number):
        try:
            return message.unescape(str(segment[number]))
        except IndexError:
            return ""

    def parts(segment, number):
        try:
            return [[message.unescape(str(component)) for component in (repetition if isinstance(repetition, hl7.Repetition) else [repetition])] for repetition in segment[number]]
        except IndexError:
            return []

    segments = [str(segment[0]) for segment in message]
    head, order = message.segment("MSH"), message.segment("OBR")
    return {
        "segments": segments,
        "controlId": str(head[10]),
        "type": str(head[9]),
        "version": str(head[12]),
        "charset": str(head[18]),
        "patientId": parts(message.segment("PID"), 3),
        "patientName": parts(message.segment("PID"), 5),
        "service": parts(order, 4),
        "accession": field(order, 18),
        "status": str(order[25]),
        "note": field(message.segment("NTE"), 3),
        "observations": [{"type": str(obx[2]), "concept": parts(obx, 3), "group": str(obx[4]), "value": parts(obx, 5), "unit": str(obx[6]), "status": str(obx[11])} for obx in message.segments("OBX")],
        "connection": connections,
    }


async def serve(reader, writer):
    global connections
    connections += 1
    try:
        while not reader.at_eof():
            message = await reader.readmessage()
            step = plan.pop(0) if plan else "AA"
            with open(notes, "a", encoding="utf-8") as file:
                file.write(json.dumps({"step": step, **understood(message)}) + "\n")
            if step == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            if step == "cut":
                return writer.close()
            if step == "silent":
                continue
            if step == "noise":
                writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            elif step == "other":
                answer = message.create_ack("AA")
                answer.segment("MSA")[2] = "ANOTHER"
                writer.writemessage(answer)
            else:
                writer.writemessage(message.create_ack(step))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    context = None
    if len(sys.argv) > 4:
        cert, key, authority = sys.argv[4:7]
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority)
        context.load_cert_chain(cert, key)
        context.verify_mode = ssl.CERT_REQUIRED
    server = await start_hl7_server(serve, port=port, host="127.0.0.1", encoding="utf-8", ssl=context)
    print("ready", flush=True)
    await server.serve_forever()


asyncio.run(main())
