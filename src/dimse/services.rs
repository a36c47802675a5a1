//! Abstract syntaxes of the standard that are services, not objects to store (PS3.6 §A).
//!
//! Everything else, private and yet unknown classes included, is taken to be a storage SOP class:
//! an archive that must be taught each new class loses objects meanwhile.

/// The services, in the order of their identifiers' numbers.
const SERVICES: &[&str] = &[
    "1.2.840.10008.1.9",             // Basic Study Content Notification
    "1.2.840.10008.1.20.1",          // Storage Commitment Push Model
    "1.2.840.10008.1.20.2",          // Storage Commitment Pull Model
    "1.2.840.10008.1.40",            // Procedural Event Logging
    "1.2.840.10008.1.42",            // Substance Administration Logging
    "1.2.840.10008.3.1.2.1.1",       // Detached Patient Management
    "1.2.840.10008.3.1.2.1.4",       // Detached Patient Management Meta
    "1.2.840.10008.3.1.2.2.1",       // Detached Visit Management
    "1.2.840.10008.3.1.2.3.1",       // Detached Study Management
    "1.2.840.10008.3.1.2.3.2",       // Study Component Management
    "1.2.840.10008.3.1.2.3.3",       // Modality Performed Procedure Step
    "1.2.840.10008.3.1.2.3.4",       // Modality Performed Procedure Step Retrieve
    "1.2.840.10008.3.1.2.3.5",       // Modality Performed Procedure Step Notification
    "1.2.840.10008.3.1.2.5.1",       // Detached Results Management
    "1.2.840.10008.3.1.2.5.4",       // Detached Results Management Meta
    "1.2.840.10008.3.1.2.5.5",       // Detached Study Management Meta
    "1.2.840.10008.3.1.2.6.1",       // Detached Interpretation Management
    "1.2.840.10008.4.2",             // Storage Service Class
    "1.2.840.10008.5.1.1.1",         // Basic Film Session
    "1.2.840.10008.5.1.1.2",         // Basic Film Box
    "1.2.840.10008.5.1.1.4",         // Basic Grayscale Image Box
    "1.2.840.10008.5.1.1.4.1",       // Basic Color Image Box
    "1.2.840.10008.5.1.1.4.2",       // Referenced Image Box
    "1.2.840.10008.5.1.1.9",         // Basic Grayscale Print Management Meta
    "1.2.840.10008.5.1.1.9.1",       // Referenced Grayscale Print Management Meta
    "1.2.840.10008.5.1.1.14",        // Print Job
    "1.2.840.10008.5.1.1.15",        // Basic Annotation Box
    "1.2.840.10008.5.1.1.16",        // Printer
    "1.2.840.10008.5.1.1.16.376",    // Printer Configuration Retrieval
    "1.2.840.10008.5.1.1.18",        // Basic Color Print Management Meta
    "1.2.840.10008.5.1.1.18.1",      // Referenced Color Print Management Meta
    "1.2.840.10008.5.1.1.22",        // VOI LUT Box
    "1.2.840.10008.5.1.1.23",        // Presentation LUT
    "1.2.840.10008.5.1.1.24",        // Image Overlay Box
    "1.2.840.10008.5.1.1.24.1",      // Basic Print Image Overlay Box
    "1.2.840.10008.5.1.1.26",        // Print Queue Management
    "1.2.840.10008.5.1.1.31",        // Pull Print Request
    "1.2.840.10008.5.1.1.32",        // Pull Stored Print Management Meta
    "1.2.840.10008.5.1.1.33",        // Media Creation Management
    "1.2.840.10008.5.1.1.40",        // Display System
    "1.2.840.10008.5.1.4.1.1.200.4", // Protocol Approval - FIND
    "1.2.840.10008.5.1.4.1.1.200.5", // Protocol Approval - MOVE
    "1.2.840.10008.5.1.4.1.1.200.6", // Protocol Approval - GET
    "1.2.840.10008.5.1.4.1.1.201.2", // Inventory - FIND
    "1.2.840.10008.5.1.4.1.1.201.3", // Inventory - MOVE
    "1.2.840.10008.5.1.4.1.1.201.4", // Inventory - GET
    "1.2.840.10008.5.1.4.1.1.201.5", // Inventory Creation
    "1.2.840.10008.5.1.4.1.1.201.6", // Repository Query
    "1.2.840.10008.5.1.4.1.2.1.1",   // Patient Root FIND
    "1.2.840.10008.5.1.4.1.2.1.2",   // Patient Root MOVE
    "1.2.840.10008.5.1.4.1.2.1.3",   // Patient Root GET
    "1.2.840.10008.5.1.4.1.2.2.1",   // Study Root FIND
    "1.2.840.10008.5.1.4.1.2.2.2",   // Study Root MOVE
    "1.2.840.10008.5.1.4.1.2.2.3",   // Study Root GET
    "1.2.840.10008.5.1.4.1.2.3.1",   // Patient/Study Only FIND
    "1.2.840.10008.5.1.4.1.2.3.2",   // Patient/Study Only MOVE
    "1.2.840.10008.5.1.4.1.2.3.3",   // Patient/Study Only GET
    "1.2.840.10008.5.1.4.1.2.4.2",   // Composite Instance Root Retrieve - MOVE
    "1.2.840.10008.5.1.4.1.2.4.3",   // Composite Instance Root Retrieve - GET
    "1.2.840.10008.5.1.4.1.2.5.3",   // Composite Instance Retrieve Without Bulk Data - GET
    "1.2.840.10008.5.1.4.20.1",      // Defined Procedure Protocol - FIND
    "1.2.840.10008.5.1.4.20.2",      // Defined Procedure Protocol - MOVE
    "1.2.840.10008.5.1.4.20.3",      // Defined Procedure Protocol - GET
    "1.2.840.10008.5.1.4.31",        // Modality Worklist - FIND
    "1.2.840.10008.5.1.4.32",        // General Purpose Worklist Management Meta
    "1.2.840.10008.5.1.4.32.1",      // General Purpose Worklist - FIND
    "1.2.840.10008.5.1.4.32.2",      // General Purpose Scheduled Procedure Step
    "1.2.840.10008.5.1.4.32.3",      // General Purpose Performed Procedure Step
    "1.2.840.10008.5.1.4.33",        // Instance Availability Notification
    "1.2.840.10008.5.1.4.34.2",      // RT Conventional Machine Verification - Trial
    "1.2.840.10008.5.1.4.34.3",      // RT Ion Machine Verification - Trial
    "1.2.840.10008.5.1.4.34.4",      // Unified Worklist and Procedure Step Service Class - Trial
    "1.2.840.10008.5.1.4.34.4.1",    // Unified Procedure Step - Push - Trial
    "1.2.840.10008.5.1.4.34.4.2",    // Unified Procedure Step - Watch - Trial
    "1.2.840.10008.5.1.4.34.4.3",    // Unified Procedure Step - Pull - Trial
    "1.2.840.10008.5.1.4.34.4.4",    // Unified Procedure Step - Event - Trial
    "1.2.840.10008.5.1.4.34.6",      // Unified Worklist and Procedure Step Service Class
    "1.2.840.10008.5.1.4.34.6.1",    // Unified Procedure Step - Push
    "1.2.840.10008.5.1.4.34.6.2",    // Unified Procedure Step - Watch
    "1.2.840.10008.5.1.4.34.6.3",    // Unified Procedure Step - Pull
    "1.2.840.10008.5.1.4.34.6.4",    // Unified Procedure Step - Event
    "1.2.840.10008.5.1.4.34.6.5",    // Unified Procedure Step - Query
    "1.2.840.10008.5.1.4.34.8",      // RT Conventional Machine Verification
    "1.2.840.10008.5.1.4.34.9",      // RT Ion Machine Verification
    "1.2.840.10008.5.1.4.37.1",      // General Relevant Patient Information Query
    "1.2.840.10008.5.1.4.37.2",      // Breast Imaging Relevant Patient Information Query
    "1.2.840.10008.5.1.4.37.3",      // Cardiac Relevant Patient Information Query
    "1.2.840.10008.5.1.4.38.2",      // Hanging Protocol - FIND
    "1.2.840.10008.5.1.4.38.3",      // Hanging Protocol - MOVE
    "1.2.840.10008.5.1.4.38.4",      // Hanging Protocol - GET
    "1.2.840.10008.5.1.4.39.2",      // Color Palette FIND
    "1.2.840.10008.5.1.4.39.3",      // Color Palette MOVE
    "1.2.840.10008.5.1.4.39.4",      // Color Palette GET
    "1.2.840.10008.5.1.4.41",        // Product Characteristics Query
    "1.2.840.10008.5.1.4.42",        // Substance Approval Query
    "1.2.840.10008.5.1.4.43.2",      // Generic Implant Template - FIND
    "1.2.840.10008.5.1.4.43.3",      // Generic Implant Template - MOVE
    "1.2.840.10008.5.1.4.43.4",      // Generic Implant Template - GET
    "1.2.840.10008.5.1.4.44.2",      // Implant Assembly Template - FIND
    "1.2.840.10008.5.1.4.44.3",      // Implant Assembly Template - MOVE
    "1.2.840.10008.5.1.4.44.4",      // Implant Assembly Template - GET
    "1.2.840.10008.5.1.4.45.2",      // Implant Template Group - FIND
    "1.2.840.10008.5.1.4.45.3",      // Implant Template Group - MOVE
    "1.2.840.10008.5.1.4.45.4",      // Implant Template Group - GET
    "1.2.840.10008.10.1",            // Video Endoscopic Image Real-Time Communication
    "1.2.840.10008.10.2",            // Video Photographic Image Real-Time Communication
    "1.2.840.10008.10.3",            // Audio Waveform Real-Time Communication
    "1.2.840.10008.10.4",            // Rendition Selection Document Real-Time Communication
];

/// Whether `uid` names a service of the standard other than storing composite objects.
pub fn is_other_service(uid: &str) -> bool {
    SERVICES.contains(&uid)
}

#[cfg(test)]
mod tests {
    use dicom_dictionary_std::uids;

    use super::is_other_service;

    #[test]
    fn queries_and_prints_are_services_and_objects_are_not() {
        for service in [
            uids::STUDY_ROOT_QUERY_RETRIEVE_INFORMATION_MODEL_FIND,
            uids::MODALITY_WORKLIST_INFORMATION_MODEL_FIND,
            uids::STORAGE_COMMITMENT_PUSH_MODEL,
            uids::BASIC_GRAYSCALE_PRINT_MANAGEMENT_META,
            uids::MODALITY_PERFORMED_PROCEDURE_STEP,
        ] {
            assert!(is_other_service(service), "{service}");
        }
        for object in [
            uids::CT_IMAGE_STORAGE,
            uids::ENCAPSULATED_PDF_STORAGE,
            uids::HANGING_PROTOCOL_STORAGE,
            "1.2.840.10008.5.1.4.1.1.5", // Nuclear Medicine Image Storage, retired
            "1.3.12.2.1107.5.9.1",       // Siemens, private
            "1.2.840.10008.5.1.4.1.1.9999",
        ] {
            assert!(!is_other_service(object), "{object}");
        }
    }
}
