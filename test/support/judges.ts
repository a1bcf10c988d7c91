import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Independent readers of what we write. One that is not installed fails the test and says how to get it: an unjudged object proves nothing. */
const PACKAGES = { dciodvfy: 'dicom3tools', dsrdump: 'dcmtk', dcmdump: 'dcmtk', '/usr/bin/java': 'default-jre-headless libpixelmed-java libslf4j-java', '/usr/bin/python3': 'python3 python3-pydicom' } as const;

export interface Verdict {
  readonly status: number | null;
  /** Standard output and standard error. */
  readonly text: string;
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

/** David Clunie's IOD validator: modules, types, value representations, conditions. */
export function dciodvfy(object: Uint8Array): Verdict {
  return judge('dciodvfy', ['-new'], object);
}

/** dcmtk: parses the document tree and prints it. Its one warning on any UTF-8 object, that it cannot check text in that character set, is left out. */
export function dsrdump(object: Uint8Array): Verdict {
  const verdict = judge('dsrdump', ['+Pc'], object);
  return { ...verdict, warnings: verdict.warnings.filter((line) => !line.endsWith('does not support this Specific Character Set: ISO_IR 192')) };
}

/** dcmtk: parses every element. */
export function dcmdump(object: Uint8Array): Verdict {
  return judge('dcmdump', ['-q', '+L'], object);
}

const JARS = ['pixelmed.jar', 'slf4j-api.jar', 'slf4j-simple.jar'].map((jar) => join('/usr/share/java', jar));
/** The compiled templates are one huge style sheet, beyond the limits that Java 17 sets by default (JAXP0801003). */
const JAXP_LIMITS = ['xpathTotalOpLimit', 'xpathExprOpLimit', 'xpathExprGrpLimit'].map((limit) => `-Djdk.xml.${limit}=0`);

/** PixelMed: the content of a report against the templates of PS3.16. Takes some ten seconds. */
export function dicomSrValidator(object: Uint8Array): Verdict {
  if (!existsSync(JARS[0]!)) throw missing('/usr/bin/java');
  const verdict = judge('/usr/bin/java', [...JAXP_LIMITS, '-cp', JARS.join(':'), 'com.pixelmed.validate.DicomSRValidator'], object);
  if (!verdict.text.includes('IOD validation complete')) throw new Error(`DicomSRValidator did not finish: ${verdict.text}`);
  return verdict;
}

const PYDICOM = `
import sys, json, pydicom
d = pydicom.dcmread(sys.argv[1])
def walk(ds):
    for e in ds:
        e.value
        if e.VR == 'SQ':
            for item in e.value: walk(item)
walk(d)
out = {k: str(d.get(k, '')) for k in ('PatientName', 'PatientID', 'SOPClassUID', 'Modality', 'SpecificCharacterSet')}
if 'PixelData' in d: out['pixels'] = [d.Rows, d.Columns, len(d.PixelData), d.PixelData[:6].hex()]
print(json.dumps(out))
`;

/** pydicom, with every value converted. */
export function pydicom(object: Uint8Array): { readonly PatientName: string; readonly PatientID: string; readonly SOPClassUID: string; readonly Modality: string; readonly SpecificCharacterSet: string; readonly pixels?: [number, number, number, string] } {
  const verdict = judge('/usr/bin/python3', ['-W', 'error', '-c', PYDICOM], object);
  if (verdict.status !== 0) throw new Error(`pydicom: ${verdict.text}`);
  return JSON.parse(verdict.text) as ReturnType<typeof pydicom>;
}

function judge(tool: keyof typeof PACKAGES, options: readonly string[], object: Uint8Array): Verdict {
  const folder = mkdtempSync(join(tmpdir(), 'hilum-judge-'));
  try {
    const file = join(folder, 'object.dcm');
    writeFileSync(file, object);
    const { status, stdout, stderr, error } = spawnSync(tool, [...options, file], { encoding: 'utf8', maxBuffer: 64 << 20 });
    if (error) throw (error as NodeJS.ErrnoException).code === 'ENOENT' ? missing(tool) : error;
    const lines = `${stdout}\n${stderr}`.split('\n').filter((line) => line.trim() !== '');
    const marked = (mark: RegExp) => lines.filter((line) => mark.test(line));
    return { status, text: lines.join('\n'), errors: marked(/^(E:|F:)|\bError\b/), warnings: marked(/^W:|\bWarning\b/) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function missing(tool: keyof typeof PACKAGES): Error {
  return new Error(`${tool} is not installed; get it with: apt-get install -y ${PACKAGES[tool]}`);
}
