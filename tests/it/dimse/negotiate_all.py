"""Negotiates all pynetdicom knows with the port given, echoes, stores the file given."""
import sys

from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, build_role
from pynetdicom.pdu_primitives import (
    AsynchronousOperationsWindowNegotiation,
    SOPClassCommonExtendedNegotiation,
    SOPClassExtendedNegotiation,
    UserIdentityNegotiation,
)
from pynetdicom.sop_class import CTImageStorage, StudyRootQueryRetrieveInformationModelFind

port, path = int(sys.argv[1]), sys.argv[2]
dataset = dcmread(path)

window = AsynchronousOperationsWindowNegotiation()
window.maximum_number_operations_invoked = 8
window.maximum_number_operations_performed = 8
extended = SOPClassExtendedNegotiation()
extended.sop_class_uid = CTImageStorage
extended.service_class_application_information = b"\x02\x00\x03\x00\x01\x00"
common = SOPClassCommonExtendedNegotiation()
common.sop_class_uid = "1.2.3.4"
common.service_class_uid = "1.2.840.10008.4.2"
identity = UserIdentityNegotiation()
identity.user_identity_type = 2
identity.primary_field = b"user"
identity.secondary_field = b"password"
identity.positive_response_requested = True

ae = AE(ae_title="PYNET")
ae.add_requested_context("1.2.840.10008.1.1")
ae.add_requested_context(CTImageStorage, [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
ae.add_requested_context("1.2.3.4", "1.2.3.5")
ae.add_requested_context(StudyRootQueryRetrieveInformationModelFind)
for number in range(120):
    ae.add_requested_context(f"1.2.3.4.{number}", ExplicitVRLittleEndian)
roles = build_role(CTImageStorage, scu_role=True, scp_role=True)
association = ae.associate(
    "127.0.0.1", port, ae_title="LASTRA", max_pdu=0,
    ext_neg=[window, extended, common, identity, roles],
)
assert association.is_established, association.acceptor.primitive
accepted = {c.abstract_syntax: c for c in association.accepted_contexts}
refused = {c.abstract_syntax: c.result for c in association.rejected_contexts}
assert len(accepted) == 123, len(accepted)
assert accepted[CTImageStorage].transfer_syntax == [ExplicitVRLittleEndian]
assert accepted[CTImageStorage].as_scu and not accepted[CTImageStorage].as_scp
assert refused == {StudyRootQueryRetrieveInformationModelFind: 3}, refused
acceptor = association.acceptor
assert acceptor.asynchronous_operations == (1, 1), acceptor.asynchronous_operations
assert acceptor.user_identity is not None and acceptor.user_identity.server_response == b""
assert acceptor.implementation_version_name.startswith("LASTRA"), acceptor
assert association.send_c_echo().Status == 0
for _ in range(2):
    status = association.send_c_store(dataset)
    assert status.Status == 0, status
association.release()
assert association.is_released

# An abort in the midst of things, then another association as if nothing had been.
association = ae.associate("127.0.0.1", port)
association.abort()
association = ae.associate("127.0.0.1", port)
assert association.send_c_echo().Status == 0
association.release()
