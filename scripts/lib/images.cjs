/** The images that our containers are made from. Node built-ins only. */
'use strict';
const fs = require('node:fs');
const path = require('node:path');

const DOCKER = path.join(__dirname, '../../docker');
const FILES = ['Dockerfile', 'orthanc.Dockerfile', 'ohif.Dockerfile', 'compose.yaml'];

/** The start of a line that names an image, and the image; FROM an earlier stage or an argument names none. */
const LINE = /^(FROM |ARG \w+_IMAGE=| +image: )([a-z0-9][\w./-]*:[\w.-]+)(@\S+)?/;

/** Every line that names an image: its file, the line, the image with its tag, and the digest or null. */
function imagesOf(file, text) {
  return text.split('\n').flatMap((line) => {
    const [, before, image, digest] = LINE.exec(line) ?? [];
    return image === undefined ? [] : [{ file, line, before, image, digest: digest?.slice(1) ?? null }];
  });
}

const readFile = (file) => fs.readFileSync(path.join(DOCKER, file), 'utf8');

/** Of all files of docker/. */
const images = () => FILES.flatMap((file) => imagesOf(file, readFile(file)));

/** The text of a file with the digests put in, replacing those that are there. `digestOf`: by image with its tag. */
function withDigests(text, digestOf) {
  return text
    .split('\n')
    .map((line) => {
      const digest = digestOf.get(LINE.exec(line)?.[2]);
      return digest === undefined ? line : line.replace(LINE, (_all, before, image) => `${before}${image}@${digest}`);
    })
    .join('\n');
}

/** Writes the digests into all files of docker/. */
function writeDigests(digestOf) {
  for (const file of FILES) fs.writeFileSync(path.join(DOCKER, file), withDigests(readFile(file), digestOf));
}

module.exports = { images, imagesOf, withDigests, writeDigests };
