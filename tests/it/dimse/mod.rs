//! Tests of the DICOM door with stock clients and with peers that misbehave.

mod limits;
mod stock_clients;
