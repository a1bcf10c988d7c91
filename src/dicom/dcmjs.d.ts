/** The part of dcmjs that is used here; the package brings no types. */
declare module 'dcmjs' {
  interface Element {
    vr: string;
    Value?: unknown[];
  }

  interface DicomDict {
    dict: Record<string, Element>;
    /** `allowInvalidVRLength`: lengths are neither checked nor logged. */
    write(options?: { readonly allowInvalidVRLength?: boolean }): ArrayBuffer;
  }

  const dcmjs: {
    data: {
      DicomDict: new (meta: Record<string, Element>) => DicomDict;
      DicomMetaDictionary: {
        /** By tag in the form (GGGG,EEEE); single look-ups only, it can't be listed. */
        readonly dictionary: Readonly<
          Record<string, { readonly name: string; readonly vr: string; readonly vm: string } | undefined>
        >;
        readonly nameMap: Readonly<
          Record<string, { readonly tag: string; readonly vr: string; readonly vm: string } | undefined>
        >;
        denaturalizeDataset(dataset: Record<string, unknown>): Record<string, Element>;
      };
    };
  };
  export default dcmjs;
}
