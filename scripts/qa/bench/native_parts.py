#!/usr/bin/python3
"""The parts of a film's way that no service can leave out, each by native means: a study event from RabbitMQ, one
retrieval and one store by HTTP, the decoder, reduction and drawing by OpenCV, the result objects by pydicom. None of
Hilum's code is in it, and the networks are not either: scripts/qa/bench/networks.mjs measures those.

    native_parts.py --amqp URL --dicomweb URL --name NAME
    native_parts.py --files FILE...             without servers: CPU milliseconds of each part

The result event carries `parts`, the CPU time of each (seconds, with programs that were called), and `decoder`.
Needs Debian's dcmtk, libopenjp2-tools, python3-gdcm, python3-numpy, python3-opencv, python3-pika, python3-pydicom.
"""
import argparse
import ctypes
import datetime
import functools
import http.client
import io
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.parse

import cv2
import gdcm
import numpy as np
import pika
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import generate_pixel_data_frame
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

NETWORK_SIDE, PICTURE_SIDE, STRIP = 224, 1024, 120


def cpu_seconds():
    """User and system time of this process and of the programs that it has called."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


class Parts(dict):
    """CPU seconds by part."""

    def measure(self, name, work, *args):
        before = cpu_seconds()
        try:
            return work(*args)
        finally:
            self[name] = self.get(name, 0) + cpu_seconds() - before


# --- decoders -------------------------------------------------------------------------------------------------------
@functools.lru_cache
def scratch_folder():
    """In memory, not on a disk: what a decoder writes there is no part of its work."""
    return tempfile.mkdtemp(prefix='hilum-bench-', dir='/dev/shm' if os.path.isdir('/dev/shm') else None)


def scratch(name):
    return os.path.join(scratch_folder(), name)


def write_scratch(name, data):
    with open(scratch(name), 'wb') as file:
        file.write(data)
    return scratch(name)


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def by_numpy(ds, _data):
    return np.frombuffer(ds.PixelData, '<u2').reshape(ds.Rows, ds.Columns)


def by_gdcm(_ds, data):
    """Through a file: GDCM's own way of handing pixels to Python makes a text of them, which costs more."""
    reader, change, writer = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax(), gdcm.ImageWriter()
    reader.SetFileName(write_scratch('film.dcm', data))
    if not reader.Read():
        raise ValueError('GDCM reads no image')
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.ExplicitVRLittleEndian))
    change.SetInput(reader.GetImage())
    if not change.Change():
        raise ValueError('GDCM does not decompress it')
    writer.SetFileName(scratch('raw.dcm'))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    if not writer.Write():
        raise ValueError('GDCM does not write it')
    return by_numpy(pydicom.dcmread(scratch('raw.dcm')), None)


def by_charls(ds, _data):
    """The C interface of CharLS 2."""
    library = ctypes.CDLL('libcharls.so.2')
    library.charls_jpegls_decoder_create.restype = ctypes.c_void_p
    frame, out = next(generate_pixel_data_frame(ds.PixelData, 1)), np.empty((ds.Rows, ds.Columns), '<u2')
    decoder = ctypes.c_void_p(library.charls_jpegls_decoder_create())
    source = (frame, ctypes.c_size_t(len(frame)))
    target = (out.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(out.nbytes))
    failed = (
        library.charls_jpegls_decoder_set_source_buffer(decoder, *source)
        or library.charls_jpegls_decoder_read_header(decoder)
        or library.charls_jpegls_decoder_decode_to_buffer(decoder, *target, ctypes.c_uint32(0))
    )
    library.charls_jpegls_decoder_destroy(decoder)
    if failed:
        raise ValueError(f'CharLS fails with {failed}')
    return out


def by_dcmtk(program):
    def decode(_ds, data):
        run(program, write_scratch('film.dcm', data), scratch('raw.dcm'))
        return by_numpy(pydicom.dcmread(scratch('raw.dcm')), None)

    return decode


def by_openjpeg(ds, _data):
    frame = next(generate_pixel_data_frame(ds.PixelData, 1))
    # Raw samples, little endian.
    run('opj_decompress', '-i', write_scratch('film.j2k', frame), '-o', scratch('film.rawl'))
    return np.fromfile(scratch('film.rawl'), '<u2').reshape(ds.Rows, ds.Columns)


CANDIDATES = {
    '1.2.840.10008.1.2.1': {'numpy': by_numpy},
    '1.2.840.10008.1.2.5': {'dcmdrle': by_dcmtk('dcmdrle'), 'GDCM': by_gdcm},
    '1.2.840.10008.1.2.4.70': {'dcmdjpeg': by_dcmtk('dcmdjpeg'), 'GDCM': by_gdcm},
    '1.2.840.10008.1.2.4.80': {'CharLS': by_charls, 'dcmdjpls': by_dcmtk('dcmdjpls'), 'GDCM': by_gdcm},
    '1.2.840.10008.1.2.4.90': {'opj_decompress': by_openjpeg, 'GDCM': by_gdcm},
}
TRIES = 2
chosen = {}


def decoder_for(ds, data):
    """The name and function of what decodes this transfer syntax in the least CPU time, tried on the first film."""
    syntax = ds.file_meta.TransferSyntaxUID
    if syntax not in chosen:
        candidates = CANDIDATES[syntax]
        times = {name: trial(decode, ds, data) for name, decode in candidates.items()}
        name = min(times, key=times.get)
        chosen[syntax] = (name, candidates[name])
    return chosen[syntax]


def trial(decode, ds, data):
    parts = Parts()
    for turn in range(TRIES):
        try:
            parts.measure(turn, decode, ds, data)
        except (OSError, ValueError, subprocess.CalledProcessError):
            return float('inf')
    return min(parts.values())


# --- picture --------------------------------------------------------------------------------------------------------
def reduce(film):
    """What networks and picture need: grey values of 0 to 1 in both sizes, and the film's own least and greatest."""
    scale = (PICTURE_SIDE - STRIP) / max(film.shape)
    size = (round(film.shape[1] * scale), round(film.shape[0] * scale))
    low, high, _, _ = cv2.minMaxLoc(film)
    spread = (high - low) or 1
    grey = cv2.resize(film, size, interpolation=cv2.INTER_AREA)
    small = cv2.resize(film, (NETWORK_SIDE, NETWORK_SIDE), interpolation=cv2.INTER_AREA)
    return (small.astype(np.float32) - low) / spread, (grey.astype(np.float32) - low) / spread


def draw(grey):
    """A heat map over the film, an outline and a caption; the map and the lungs stand for what networks would say."""
    height, width = grey.shape
    heat, lungs = stand_ins()
    warm = cv2.resize(heat, (width, height), interpolation=cv2.INTER_LINEAR)
    film = cv2.cvtColor((255 * grey).astype(np.uint8), cv2.COLOR_GRAY2RGB)
    warmth = cv2.applyColorMap((255 * warm).astype(np.uint8), cv2.COLORMAP_INFERNO)
    opacity = (0.6 * np.clip((warm - 0.15) / 0.5, 0, 1))[:, :, None].astype(np.float32)
    picture = (film * (1 - opacity) + warmth[:, :, ::-1] * opacity).astype(np.uint8)
    mask = cv2.resize(lungs, (width, height), interpolation=cv2.INTER_NEAREST)
    outlines = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]
    cv2.drawContours(picture, outlines, -1, (111, 208, 255), 2)
    out = np.zeros((height + STRIP, max(width, 512), 3), np.uint8)
    left = (out.shape[1] - width) // 2
    out[:height, left:left + width] = picture
    for line, text in enumerate(['RESEARCH USE - NOT FOR DIAGNOSIS', 'probability', 'below the operating point']):
        at = (12, height + 26 + 26 * line)
        cv2.putText(out, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.6, (230, 230, 230), 1, cv2.LINE_AA)
    return out


def stand_ins():
    heat = np.zeros((14, 14), np.float32)
    heat[4:9, 3:6] = 1
    lungs = np.zeros((NETWORK_SIDE, NETWORK_SIDE), np.uint8)
    for centre in (70, 154):
        cv2.ellipse(lungs, (centre, 112), (32, 70), 0, 0, 360, 1, -1)
    return heat, lungs


# --- objects --------------------------------------------------------------------------------------------------------
COPIED = ('PatientName', 'PatientID', 'PatientBirthDate', 'PatientSex', 'StudyInstanceUID', 'StudyDate', 'StudyTime',
          'StudyID', 'AccessionNumber', 'ReferringPhysicianName')


def result_of(source, modality, sop_class, number, description):
    ds = Dataset()
    for keyword in COPIED:
        setattr(ds, keyword, source.get(keyword, ''))
    now = datetime.datetime.now()
    ds.SpecificCharacterSet, ds.Modality, ds.Manufacturer = 'ISO_IR 192', modality, 'Native parts'
    ds.SOPClassUID, ds.SOPInstanceUID, ds.SeriesInstanceUID = sop_class, generate_uid(), generate_uid()
    ds.SeriesNumber, ds.InstanceNumber, ds.SeriesDescription = number, 1, description
    ds.ContentDate, ds.ContentTime = now.strftime('%Y%m%d'), now.strftime('%H%M%S')
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = sop_class, ds.SOPInstanceUID
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.is_little_endian, ds.is_implicit_VR = True, False
    return ds


def capture(source, picture):
    ds = result_of(source, 'OT', '1.2.840.10008.5.1.4.1.1.7', 9901, 'heat map')
    ds.ConversionType, ds.BurnedInAnnotation = 'WSD', 'YES'
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = 3, 'RGB', 0
    ds.Rows, ds.Columns = picture.shape[:2]
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
    data = picture.tobytes()
    ds.PixelData = data + b'\0' * (len(data) % 2)
    ds['PixelData'].VR = 'OB'
    return ds


def code(value, scheme, meaning):
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return Sequence([item])


def content(kind, name, **values):
    item = Dataset()
    item.RelationshipType, item.ValueType, item.ConceptNameCodeSequence = 'CONTAINS', kind, code(*name)
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


def reference(ds):
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    return Sequence([item])


def report(source, heat_map):
    ds = result_of(source, 'SR', '1.2.840.10008.5.1.4.1.1.88.34', 9902, 'report')
    ds.CompletionFlag, ds.VerificationFlag = 'COMPLETE', 'UNVERIFIED'
    ds.ValueType, ds.ContinuityOfContent = 'CONTAINER', 'SEPARATE'
    ds.ConceptNameCodeSequence = code('126000', 'DCM', 'Imaging Measurement Report')
    measured = Dataset()
    measured.NumericValue, measured.MeasurementUnitsCodeSequence = '12.5', code('%', 'UCUM', 'percent')
    group = content('CONTAINER', ('125007', 'DCM', 'Measurement Group'), ContinuityOfContent='SEPARATE')
    finding = code('840539006', 'SCT', 'COVID-19')
    group.ContentSequence = Sequence([
        content('CODE', ('121071', 'DCM', 'Finding'), ConceptCodeSequence=finding),
        content('IMAGE', ('121112', 'DCM', 'Source of Measurement'), ReferencedSOPSequence=reference(source)),
        content('IMAGE', ('121200', 'DCM', 'Illustration of ROI'), ReferencedSOPSequence=reference(heat_map)),
        content('NUM', ('111047', 'DCM', 'Probability'), MeasuredValueSequence=Sequence([measured])),
    ])
    ds.ContentSequence = Sequence([group])
    return ds


def objects_of(source, picture):
    heat_map = capture(source, picture)
    return [part10(heat_map), part10(report(source, heat_map))]


def part10(ds):
    out = io.BytesIO()
    pydicom.dcmwrite(out, ds, write_like_original=False)
    return out.getvalue()


# --- a film, a study ------------------------------------------------------------------------------------------------
def analyse(data, parts):
    ds = parts.measure('decode', lambda: pydicom.dcmread(io.BytesIO(data)))
    name, decode = decoder_for(ds, data)
    film = parts.measure('decode', decode, ds, data)
    _, grey = parts.measure('resize', reduce, film)
    picture = parts.measure('draw', draw, grey)
    return parts.measure('objects', objects_of, ds, picture), name


class Archive:
    """One retrieval and one store (PS3.18), on one connection."""

    BOUNDARY = 'part'

    def __init__(self, dicomweb):
        url = urllib.parse.urlparse(dicomweb)
        self.connection, self.root = http.client.HTTPConnection(url.hostname, url.port), url.path.rstrip('/')

    def retrieve(self, study):
        accept = 'multipart/related; type="application/dicom"; transfer-syntax=*'
        body = self.ask('GET', f'/studies/{study}', None, {'Accept': accept, 'Accept-Encoding': 'identity'})
        return body[body.index(b'\r\n\r\n') + 4:body.rindex(b'\r\n--')]

    def store(self, study, files):
        head = f'--{self.BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n'.encode()
        body = b''.join(head + file + b'\r\n' for file in files) + f'--{self.BOUNDARY}--\r\n'.encode()
        kind = f'multipart/related; type="application/dicom"; boundary={self.BOUNDARY}'
        self.ask('POST', f'/studies/{study}', body, {'Content-Type': kind, 'Accept': 'application/dicom+json'})

    def ask(self, method, path, body, headers):
        try:
            answer, data = self.exchange(method, path, body, headers)
        except (ConnectionError, http.client.RemoteDisconnected):
            # The archive has closed a connection that was idle.
            self.connection.close()
            answer, data = self.exchange(method, path, body, headers)
        if answer.status >= 300:
            raise OSError(f'{method} {path}: {answer.status}')
        return data

    def exchange(self, method, path, body, headers):
        self.connection.request(method, self.root + path, body, headers)
        answer = self.connection.getresponse()
        return answer, answer.read()


def serve(args):
    channel = pika.BlockingConnection(pika.URLParameters(args.amqp)).channel()
    exchange, results = f'{args.name}.study', f'{args.name}.result'
    for name in (exchange, results):
        channel.exchange_declare(name, 'topic', durable=True)
    channel.queue_declare(exchange, durable=True)
    channel.queue_bind(exchange, exchange, '#')
    channel.basic_qos(prefetch_count=1)
    archive = Archive(args.dicomweb)

    def on_message(channel, method, _properties, body):
        study, parts = json.loads(body)['studyInstanceUid'], Parts()
        data = parts.measure('http', archive.retrieve, study)
        files, decoder = analyse(data, parts)
        parts.measure('http', archive.store, study, files)
        result = {'type': 'study-result', 'studyInstanceUid': study, 'parts': parts, 'decoder': decoder}
        channel.basic_publish(results, 'study', json.dumps(result), pika.BasicProperties(delivery_mode=2))
        channel.basic_ack(method.delivery_tag)

    channel.basic_consume(exchange, on_message)
    print('ready', flush=True)
    channel.start_consuming()


def tell(files):
    for file in files:
        parts = Parts()
        with open(file, 'rb') as source:
            data = source.read()
        analyse(data, parts)
        parts.clear()
        _, decoder = analyse(data, parts)
        print(file, decoder, {name: round(1000 * value, 1) for name, value in parts.items()})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--amqp')
    parser.add_argument('--dicomweb')
    parser.add_argument('--name', default='limit')
    parser.add_argument('--files', nargs='*')
    args = parser.parse_args()
    cv2.setNumThreads(1)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        if args.files:
            tell(args.files)
        else:
            serve(args)
    finally:
        shutil.rmtree(scratch_folder(), ignore_errors=True)


if __name__ == '__main__':
    sys.exit(main())
