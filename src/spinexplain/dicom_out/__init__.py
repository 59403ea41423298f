"""Results as DICOM objects and FHIR resources that name the CT they come from."""
