/** The files of a folder of anything. Node built-ins only. */
'use strict';
const fs = require('node:fs');
const path = require('node:path');

/** See files.d.cts. */
function findFiles(given) {
  const found = list(given);
  const files = found.filter(({ problem }) => problem === undefined);
  return { files: files.map(({ file, name }) => ({ file, name })), others: found.filter(({ problem }) => problem) };
}

function list(given) {
  const info = fs.statSync(given, { throwIfNoEntry: false });
  if (info === undefined) throw Object.assign(new Error(`there is no ${given}`), { explained: true });
  if (!info.isDirectory()) return [{ file: given, name: path.basename(given), problem: problemOf(given) }];
  return walk(given, '')
    .map((name) => ({ file: path.join(given, name), name }))
    .map((found) => ({ ...found, problem: problemOf(found.file) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A folder that may not be read is one entry like any other, which says so. */
function walk(root, below) {
  try {
    return fs.readdirSync(path.join(root, below), { withFileTypes: true }).flatMap((entry) => {
      const name = path.join(below, entry.name);
      return entry.isDirectory() ? walk(root, name) : [name];
    });
  } catch {
    return [below];
  }
}

/** Why a file is left out; undefined where it may be DICOM. Never throws. */
function problemOf(file) {
  try {
    const info = fs.statSync(file);
    if (info.isDirectory()) return unreadableFolder(file);
    if (!info.isFile()) return 'no regular file';
    if (info.size > MAX_BYTES) return 'larger than 1 GiB';
    return looksLikeDicom(head(file)) ? undefined : 'no DICOM file';
  } catch (error) {
    return `can't be read (${error.code})`;
  }
}

/** A link to a folder is not followed: it may lead in a circle. */
function unreadableFolder(file) {
  return fs.lstatSync(file).isSymbolicLink() ? 'a link to a folder, not followed' : "a folder that can't be read";
}

const MAX_BYTES = 2 ** 30;

function head(file) {
  const bytes = Buffer.alloc(132);
  const open = fs.openSync(file, 'r');
  try {
    return bytes.subarray(0, fs.readSync(open, bytes, 0, bytes.length, 0));
  } finally {
    fs.closeSync(open);
  }
}

/**
 * "DICM" behind the preamble (PS3.10 section 7.1), or without them a first element of group 0002 or 0008, as old
 * programs write it.
 */
function looksLikeDicom(bytes) {
  if (bytes.toString('latin1', 128, 132) === 'DICM') return true;
  return bytes.length > 8 && [0x02, 0x08].includes(bytes[0]) && bytes[1] === 0 && bytes[3] === 0;
}

module.exports = { findFiles, looksLikeDicom };
