"""Makes the sample studies: procedural phantoms written as DICOM, one module a folder."""
