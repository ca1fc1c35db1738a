"""The post room: FHIR bundles in, FHIR resources out. Not built yet; hands out nothing."""
