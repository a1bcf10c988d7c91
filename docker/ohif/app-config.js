// OHIF's configuration, for the demo and for docker/ohif.Dockerfile: one DICOMweb data source on the viewer's own
// origin.
window.config = {
  useCPURendering: false,
  routerBasename: '/',
  extensions: [],
  modes: [],
  showStudyList: true,
  useSharedArrayBuffer: 'FALSE',
  showWarningMessageForCrossOrigin: false,
  showCPUFallbackMessage: false,
  investigationalUseDialog: { option: 'never' },
  defaultDataSourceName: 'dicomweb',
  dataSources: [
    {
      namespace: '@ohif/extension-default.dataSourcesModule.dicomweb',
      sourceName: 'dicomweb',
      configuration: {
        friendlyName: 'Orthanc',
        name: 'orthanc',
        wadoUriRoot: location.origin + '/dicom-web',
        qidoRoot: location.origin + '/dicom-web',
        wadoRoot: location.origin + '/dicom-web',
        qidoSupportsIncludeField: false,
        imageRendering: 'wadors',
        thumbnailRendering: 'wadors',
        enableStudyLazyLoad: true,
        supportsFuzzyMatching: false,
        supportsWildcard: true,
        omitQuotationForMultipartRequest: true,
        bulkDataURI: { enabled: true },
      },
    },
  ],
};
