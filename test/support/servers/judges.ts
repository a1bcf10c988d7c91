import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Attributes } from '../../../src/dicom/attributes';
import { IDENTIFIERS, wholeIdentifier } from '../../../src/dicom/identifiers';

/**
 * Independent readers of what we write. One that is not installed fails the test and says how to get it: an unjudged
 * object proves nothing.
 */
const PACKAGES = {
  dciodvfy: 'dicom3tools',
  dcentvfy: 'dicom3tools',
  dsrdump: 'dcmtk',
  dcmdump: 'dcmtk',
  dcmpschk: 'dcmtk',
  dcmp2pgm: 'dcmtk',
  '/usr/bin/java': 'default-jre-headless libpixelmed-java libslf4j-java libbsh-java',
  '/usr/bin/python3': 'python3 python3-pydicom python3-numpy',
} as const;

type Tool = keyof typeof PACKAGES;

export interface Verdict {
  readonly status: number | null;
  /** Standard output and standard error. */
  readonly text: string;
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * David Clunie's IOD validator: modules, types, value representations, conditions. An identifier is copied whole: where
 * the `film` itself breaks its VR, what is said of that identifier is left out.
 */
export function dciodvfy(object: Uint8Array, film: Attributes = {}): Verdict {
  const verdict = judge('dciodvfy', ['-new'], object);
  const broken = brokenIn(film);
  return {
    ...verdict,
    errors: verdict.errors.filter((line) => !broken.some((keyword) => line.startsWith(`Error - </${keyword}(`))),
  };
}

function brokenIn(film: Attributes): string[] {
  return [...IDENTIFIERS].filter((keyword) => breaksVr(keyword, wholeIdentifier(film[keyword])));
}

function breaksVr(keyword: string, identifier: string): boolean {
  const isShort = keyword === 'StudyID' || keyword === 'AccessionNumber';
  return identifier.length > (isShort ? 16 : 64) || /[\\\p{Cc}]/u.test(identifier);
}

/** David Clunie's check that the objects of a study agree on its patient, study and equipment. */
export function dcentvfy(objects: readonly Uint8Array[]): Verdict {
  return inFolder((folder) => {
    const files = objects.map((bytes, i) => ({ path: join(folder, `${i}.dcm`), bytes }));
    files.forEach(({ path, bytes }) => writeFileSync(path, bytes));
    return spawn(
      'dcentvfy',
      files.map(({ path }) => path),
    );
  });
}

/**
 * dcmtk: parses the document tree and prints it. Its one warning on any UTF-8 object, that it cannot check text in that
 * character set, is left out.
 */
export function dsrdump(object: Uint8Array): Verdict {
  const verdict = judge('dsrdump', ['+Pc'], object);
  return {
    ...verdict,
    warnings: verdict.warnings.filter(
      (line) => !line.endsWith('does not support this Specific Character Set: ISO_IR 192'),
    ),
  };
}

/** dcmtk: parses every element. */
export function dcmdump(object: Uint8Array): Verdict {
  return judge('dcmdump', ['-q', '+L'], object);
}

/**
 * dcmtk: a presentation state against PS3.3 section A.33.1. Two of its complaints are left out, as they are none: it
 * takes text that is not ASCII for wrong whatever the character set, and a Patient's Name that is empty, as type 2 may
 * be, for missing. Identifiers that the `film` itself breaks as with {@link dciodvfy}.
 */
export function dcmpschk(object: Uint8Array, film: Attributes = {}): Verdict {
  const verdict = judge('dcmpschk', [], object);
  const errors = verdict.text
    .split(/^E: (?=Error)/m)
    .slice(1)
    // eslint-disable-next-line no-control-regex -- ASCII begins with its control characters
    .filter((complaint) => !/Attribute value +: \[[^\]]*[^\x00-\x7f]/.test(complaint));
  const copied = brokenIn(film).map(
    (keyword) => new RegExp(`^W: Error: .*\\n(W: {3}.*\\n)*W: \\(.* ${keyword}\\n(W: *\\n?)?`, 'gm'),
  );
  const told = copied.reduce((text, block) => text.replace(block, ''), `${verdict.warnings.join('\n')}\n`);
  const warnings = told
    .split('\n')
    .filter((line) => line !== '' && !/^W: (Testing: |Test (passed|failed)|patientName absent or empty)/.test(line));
  if (!/^W: Test (passed|failed)/m.test(verdict.text)) throw new Error(`dcmpschk did not finish: ${verdict.text}`);
  return { ...verdict, errors, warnings };
}

/** dcmtk: an uncompressed film as it is shown (8 bits, PGM), by its own header or by a presentation state. */
export function dcmp2pgm(film: Uint8Array, state?: Uint8Array): Buffer {
  return inFolder((folder) => {
    const [image, pstate, pgm] = ['film.dcm', 'state.dcm', 'out.pgm'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(image, film);
    if (state) writeFileSync(pstate, state);
    const { text, errors, warnings } = spawn('dcmp2pgm', [...(state ? ['-p', pstate] : []), image, pgm]);
    if (errors.length > 0 || warnings.length > 0 || !existsSync(pgm)) throw new Error(`dcmp2pgm: ${text}`);
    return readFileSync(pgm);
  });
}

const JARS = ['pixelmed.jar', 'bsh.jar', 'slf4j-api.jar', 'slf4j-simple.jar'].map((jar) =>
  join('/usr/share/java', jar),
);
/** The compiled templates are one huge style sheet, beyond the limits that Java 17 sets by default (JAXP0801003). */
const JAXP_LIMITS = ['xpathTotalOpLimit', 'xpathExprOpLimit', 'xpathExprGrpLimit'].map(
  (limit) => `-Djdk.xml.${limit}=0`,
);

/** PixelMed: the content of a report against the templates of PS3.16. Takes some ten seconds. */
export function dicomSrValidator(object: Uint8Array): Verdict {
  return dicomSrValidatorAll([object])[0]!;
}

/**
 * In BeanShell, as the validator's own main takes one file and starting Java and compiling the templates takes most of
 * the time.
 */
const VALIDATE_ALL = `
validator = new com.pixelmed.validate.DicomSRValidator();
for (int i = 0; i < bsh.args.length; i++) {
  list = new com.pixelmed.dicom.AttributeList();
  list.read(bsh.args[i]);
  System.out.println("NEXT FILE");
  System.out.println(validator.validate(list));
}
`;

/** Many reports by one Java. */
export function dicomSrValidatorAll(objects: readonly Uint8Array[]): Verdict[] {
  const absent = JARS.find((jar) => !existsSync(jar));
  if (absent !== undefined) throw missing('/usr/bin/java');
  const all = inFolder((folder) => {
    const script = join(folder, 'validate.bsh');
    writeFileSync(script, VALIDATE_ALL);
    return inFiles(objects, (files) =>
      spawn('/usr/bin/java', [...JAXP_LIMITS, '-cp', JARS.join(':'), 'bsh.Interpreter', script, ...files]),
    );
  });
  const verdicts = all.text
    .split('NEXT FILE\n')
    .slice(1)
    .map((text) => verdictOf(all.status, text.split('\n')));
  const unfinished =
    verdicts.length !== objects.length || verdicts.some(({ text }) => !text.includes('IOD validation complete'));
  if (unfinished) throw new Error(`DicomSRValidator did not finish: ${all.text}`);
  return verdicts;
}

// Warnings are errors from after the imports on: those of Debian 13's libraries are none of ours.
const PYDICOM = `
import sys, json, warnings, pydicom
warnings.simplefilter('error')
COPIED = ${JSON.stringify([...IDENTIFIERS])}
def walk(ds):
    for tag in sorted(ds.keys()):
        with warnings.catch_warnings():
            # Identifiers are copied whole, whatever their VR allows.
            if pydicom.datadict.keyword_for_tag(tag) in COPIED: warnings.simplefilter('ignore')
            e = ds[tag]
            e.value
        if e.VR == 'SQ':
            for item in e.value: walk(item)
for name in sys.argv[1:]:
    d = pydicom.dcmread(name)
    walk(d)
    out = {k: str(d.get(k, '')) for k in (
        'PatientName', 'PatientID', 'SOPClassUID', 'Modality', 'SpecificCharacterSet', 'ReferringPhysicianName',
        'StudyDescription')}
    if 'PixelData' in d: out['pixels'] = [d.Rows, d.Columns, len(d.PixelData), d.PixelData[:6].hex()]
    print(json.dumps(out))
`;

type PydicomKeyword =
  | 'PatientName'
  | 'PatientID'
  | 'SOPClassUID'
  | 'Modality'
  | 'SpecificCharacterSet'
  | 'ReferringPhysicianName'
  | 'StudyDescription';
export type PydicomReading = Readonly<Record<PydicomKeyword, string>> & {
  readonly pixels?: [number, number, number, string];
};

/** pydicom, with every value converted. */
export function pydicom(object: Uint8Array): PydicomReading {
  return pydicomAll([object])[0]!;
}

/**
 * Many objects in one process, as starting it takes longer than reading. @throws Error at the first that pydicom does
 * not read, or warns of
 */
export function pydicomAll(objects: readonly Uint8Array[]): PydicomReading[] {
  const verdict = inFiles(objects, (files) => spawn('/usr/bin/python3', ['-c', PYDICOM, ...files]));
  if (verdict.status !== 0) throw new Error(`pydicom: ${verdict.text}`);
  return verdict.text.split('\n').map((line) => JSON.parse(line) as PydicomReading);
}

const COVERED = `
import sys, json, warnings, numpy, pydicom
warnings.simplefilter('error')
d = pydicom.dcmread(sys.argv[1])
columns, rows = d.DisplayedAreaSelectionSequence[0].DisplayedAreaBottomRightHandCorner
x, y = numpy.meshgrid(numpy.arange(columns) + 0.5, numpy.arange(rows) + 0.5)
out = {}
for a in d.GraphicAnnotationSequence:
    for g in a.get('GraphicObjectSequence', []):
        assert g.GraphicAnnotationUnits == 'PIXEL' and g.GraphicType == 'POLYLINE'
        assert len(g.GraphicData) == 2 * g.NumberOfGraphicPoints
        p = numpy.array(g.GraphicData).reshape(-1, 2)
        assert (p[0] == p[-1]).all()
        inside = numpy.zeros(x.shape, bool)
        for (x0, y0), (x1, y1) in zip(p[:-1], p[1:]):
            if y0 != y1: inside ^= ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
        out.setdefault(a.GraphicLayer, []).extend(numpy.flatnonzero(inside).tolist())
print(json.dumps(out))
`;

/**
 * pydicom and numpy: the pixels (row * columns + column) whose centres lie inside the outlines of a presentation state,
 * by layer.
 */
export function pixelsCovered(state: Uint8Array): Readonly<Record<string, number[]>> {
  const verdict = judge('/usr/bin/python3', ['-c', COVERED], state);
  if (verdict.status !== 0) throw new Error(`pydicom: ${verdict.text}`);
  return JSON.parse(verdict.text) as Record<string, number[]>;
}

const OVERLAYS = `
import sys, json, numpy, pydicom
d = pydicom.dcmread(sys.argv[1])
out = {}
for group in range(0x6000, 0x6020, 2):
    if (group, 0x3000) in d:
        plane = d.overlay_array(group)
        assert plane.shape == (d.Rows, d.Columns) and list(d[group, 0x0050].value) == [1, 1]
        out['%04x' % group] = {'label': d[group, 0x1500].value, 'set': numpy.flatnonzero(plane).tolist()}
print(json.dumps(out))
`;

/** pydicom: overlay planes by their group, each with the pixels (row * columns + column) that are set. */
export function overlayPlanes(
  object: Uint8Array,
): Readonly<Record<string, { readonly label: string; readonly set: number[] }>> {
  const verdict = judge('/usr/bin/python3', ['-W', 'error', '-c', OVERLAYS], object);
  if (verdict.status !== 0) throw new Error(`pydicom: ${verdict.text}`);
  return JSON.parse(verdict.text) as ReturnType<typeof overlayPlanes>;
}

const PYDICOM_PIXELS = `
import sys, base64, json, warnings, pydicom
warnings.simplefilter('error')
a = pydicom.dcmread(sys.argv[1]).pixel_array
values = base64.b64encode(a.astype('<f4').tobytes()).decode()
print(json.dumps({'rows': a.shape[-2], 'columns': a.shape[-1], 'values': values}))
`;

/** The pixels of a one-frame grey object as pydicom unpacks them: single bits, integers or floats. */
export function pydicomPixels(object: Uint8Array): {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
} {
  const verdict = judge('/usr/bin/python3', ['-c', PYDICOM_PIXELS], object);
  if (verdict.status !== 0) throw new Error(`pydicom: ${verdict.text}`);
  const { rows, columns, values } = JSON.parse(verdict.text) as { rows: number; columns: number; values: string };
  const bytes = Buffer.from(values, 'base64');
  return { rows, columns, values: Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i)) };
}

function judge(tool: Tool, options: readonly string[], object: Uint8Array): Verdict {
  return inFolder((folder) => {
    const file = join(folder, 'object.dcm');
    writeFileSync(file, object);
    return spawn(tool, [...options, file]);
  });
}

function inFiles<T>(objects: readonly Uint8Array[], work: (files: readonly string[]) => T): T {
  return inFolder((folder) => {
    const files = objects.map((object, index) => {
      const file = join(folder, `${index}.dcm`);
      writeFileSync(file, object);
      return file;
    });
    return work(files);
  });
}

function inFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'hilum-judge-'));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function spawn(tool: Tool, options: readonly string[]): Verdict {
  const { status, stdout, stderr, error } = spawnSync(tool, options, { encoding: 'utf8', maxBuffer: 64 << 20 });
  if (error) throw (error as NodeJS.ErrnoException).code === 'ENOENT' ? missing(tool) : error;
  return verdictOf(status, `${stdout}\n${stderr}`.split('\n'));
}

function verdictOf(status: number | null, output: readonly string[]): Verdict {
  const lines = output.filter((line) => line.trim() !== '');
  const marked = (mark: RegExp) => lines.filter((line) => mark.test(line));
  return { status, text: lines.join('\n'), errors: marked(/^(E:|F:)|\bError\b/), warnings: marked(/^W:|\bWarning\b/) };
}

function missing(tool: Tool): Error {
  return new Error(`${tool} is not installed; get it with: apt-get install -y ${PACKAGES[tool]}`);
}
