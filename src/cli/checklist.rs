//! The standard's checklist: what an archive with DICOMweb is held to, and the tests that show it.
//!
//! Each test is named by its path below `tests/it`; one of the tests holds this table against them.

use serde::Serialize;

/// A line of the checklist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Its number.
    pub number: u8,
    /// Where the standard says it: a section of PS3.18 unless another part is named.
    pub section: &'static str,
    /// What must hold.
    pub holds: &'static str,
    /// The tests that show it.
    pub shown_by: &'static [&'static str],
    /// What of it does not hold, or holds otherwise, and why; empty: nothing.
    pub but: &'static str,
}

const fn line(
    number: u8,
    section: &'static str,
    holds: &'static str,
    shown_by: &'static [&'static str],
    but: &'static str,
) -> Line {
    Line { number, section, holds, shown_by, but }
}

/// Services that Lastra does not have yet.
const NOT_THERE: &str = "the service is not there yet";

/// The checklist, in the order of its numbers.
pub const CHECKLIST: &[Line] = &[
    line(
        1,
        "8.9, Annex H",
        "OPTIONS on the root tells the capabilities as WADL or JSON, with an ETag",
        &["dicomweb::described::capabilities_are_told_as_wadl_and_as_json"],
        "",
    ),
    line(
        2,
        "8.7.5",
        "a request without Accept",
        &["dicomweb::checklist::no_accept_counts_as_anything"],
        "on purpose: taken for */*, where the standard says 406, since plain tools send none",
    ),
    line(
        3,
        "8.7.5",
        "DICOM and rendered media types side by side are a 400",
        &["dicomweb::checklist::dicom_and_rendered_media_types_do_not_mix"],
        "",
    ),
    line(
        4,
        "8.3.3.1, 8.7.8",
        "the accept parameter wins over the header, weights and the most specific range count, \
         nothing acceptable is a 406",
        &["dicomweb::checklist::the_accept_parameter_wins_and_weights_count"],
        "",
    ),
    line(
        5,
        "8.7.3.5.2, 8.7.8.1",
        "transfer-syntax=* gives the stored bytes, a UID that one, none Explicit VR Little Endian",
        &[
            "dicomweb::checklist::the_transfer_syntax_is_the_stored_the_default_or_the_one_named",
            "dicomweb::transcoding::every_form_comes_in_every_transfer_syntax_with_the_same_pixels",
        ],
        "",
    ),
    line(
        6,
        "8.6.1.2",
        "parts tell their Content-Type with the transfer syntax, their Content-Location, their length",
        &["dicomweb::checklist::parts_tell_their_type_their_place_and_their_length"],
        "",
    ),
    line(
        7,
        "8.7.3",
        "neither Implicit VR Little Endian nor Explicit VR Big Endian goes out",
        &["dicomweb::checklist::implicit_and_big_endian_never_go_out"],
        "",
    ),
    line(
        8,
        "10.5.3, Annex I",
        "STOW-RS answers 200, 202, 400, 409, 415 as it went; each part is judged by itself",
        &[
            "dicomweb::stow::each_part_is_judged_by_itself",
            "dicomweb::stow::requests_that_make_no_sense_are_told_why",
            "dicomweb::stow::what_is_stored_comes_back_byte_for_byte_and_can_be_sent_again",
            "dicomweb::stow_made::bodies_that_make_no_sense_have_their_status",
        ],
        "",
    ),
    line(
        9,
        "10.5.1.4, 10.5.2",
        "metadata as JSON or XML is joined with its bulk data; pixels are described from their code stream",
        &[
            "dicomweb::stow_made::metadata_goes_out_as_json_and_xml_and_comes_back_the_same",
            "dicomweb::stow_made::images_documents_and_videos_are_wrapped_as_the_standard_says",
            "dicomweb::stow_made::parts_find_their_metadata",
        ],
        "",
    ),
    line(
        10,
        "10.5.2, I.1",
        "coercion is told",
        &["dicomweb::stow::what_is_stored_comes_back_byte_for_byte_and_can_be_sent_again"],
        "nothing is ever coerced: what comes is kept as it is, so there is nothing to tell",
    ),
    line(
        11,
        "10.6.1.2",
        "every matching kind on all six resources of QIDO-RS",
        &[
            "dicomweb::qido::every_kind_of_matching_finds_what_the_standard_says",
            "dicomweb::qido::the_six_resources_search_their_level_and_below",
        ],
        "",
    ),
    line(
        12,
        "8.3.4.4.1, 10.6.3",
        "204 when nothing is found, the Warning with what remains, a stable order, 400 and 413",
        &[
            "dicomweb::qido::pages_tell_what_remains_in_the_words_of_the_standard",
            "dicomweb::qido::pages_fit_together_in_every_order",
            "dicomweb::qido_hostile::hostile_values_are_refused_by_name_or_find_nothing_at_once",
        ],
        "",
    ),
    line(
        13,
        "8.3.4.2, 8.3.4.5, 8.3.4.6",
        "fuzzy, empty and multiple value matching are honoured, and what was not done is said",
        &[
            "dicomweb::qido::what_was_not_done_is_said",
            "dicomweb::qido::every_kind_of_matching_finds_what_the_standard_says",
        ],
        "",
    ),
    line(
        14,
        "10.6.3.3",
        "includefield gives attributes of its level and above, never below",
        &["dicomweb::qido::answers_hold_what_was_asked_of_their_level_and_above"],
        "",
    ),
    line(
        15,
        "8.3.5.1",
        "rendered on every level; viewport, window, quality, annotation; bad parameters are named; \
         a presentation state takes no window beside it",
        &[
            "dicomweb::rendered::the_viewport_crops_scales_and_flips",
            "dicomweb::rendered::windows_are_those_of_dcmtk",
            "dicomweb::rendered::bad_parameters_are_named",
            "dicomweb::rendered_many::a_series_and_a_study_come_whole_in_parts_and_by_their_middle_alone",
            "dicomweb::rendered_presentation::a_state_as_target_takes_neither_window_nor_region",
        ],
        "",
    ),
    line(
        16,
        "10.4.3.3.4",
        "thumbnails on every level: one picture, JPEG, nothing that identifies",
        &[
            "dicomweb::checklist::thumbnails_are_one_picture_on_every_level",
            "dicomweb::rendered::annotations_are_in_the_picture_on_request_and_never_in_thumbnails",
        ],
        "",
    ),
    line(
        17,
        "8.5",
        "410 for what is known to be deleted",
        &[
            "dicomweb::deletion::what_is_deleted_is_gone_until_it_is_restored",
            "dicomweb::deletion::what_is_purged_is_remembered_and_its_bytes_are_gone",
        ],
        "",
    ),
    line(
        18,
        "Annex F, 10.4.3.3.2",
        "metadata without File Meta and group lengths, in order; each BulkDataURI resolves, by range too",
        &[
            "dicomweb::checklist::metadata_is_whole_in_order_and_its_bulk_data_can_be_had",
            "dicomweb::stock::the_stock_client_gets_real_files_as_they_are",
        ],
        "",
    ),
    line(19, "11", "UPS-RS", &[], NOT_THERE),
    line(
        20,
        "13",
        "storage commitment over HTTP: 200, 202, 404, 409, 410, Retry-After; bytes are read again",
        &[
            "dicomweb::commitment::studies_are_answered_as_studies_and_nonsense_is_refused",
            "dicomweb::clients::the_stock_client_of_rust_stores_and_searches",
        ],
        "",
    ),
    line(21, "14, 15 (2025e)", "scheduled and performed procedure steps", &[], NOT_THERE),
    line(
        22,
        "9",
        "WADO-URI: what is missing or wrong is a 400 that names it, a transfer syntax that cannot be \
         given a 406",
        &[
            "dicomweb::wado_uri::what_is_missing_or_malformed_is_named",
            "dicomweb::wado_uri::the_instance_itself_comes_in_the_transfer_syntax_asked_for",
            "dicomweb::wado_uri_anonymize::pydicom_and_a_validator_read_what_leaves",
        ],
        "",
    ),
    line(
        23,
        "8.8",
        "text is UTF-8; a character set that is not supported is passed over",
        &["dicomweb::checklist::text_is_utf_8_whatever_else_is_asked"],
        "",
    ),
    line(24, "PS3.4 Annex C", "C-FIND, C-MOVE, C-GET", &[], NOT_THERE),
    line(25, "PS3.4 Annex J", "N-ACTION and N-EVENT-REPORT of storage commitment", &[], NOT_THERE),
    line(26, "PS3.15 B.12, B.13", "TLS on the DICOM port", &[], NOT_THERE),
    line(27, "PS3.15 A.5.3", "audit messages", &[], NOT_THERE),
    line(
        28,
        "PS3.15 Annex E",
        "de-identification by Table E.1-1, Patient Identity Removed, times told as removed",
        &["dicomweb::wado_uri_anonymize::pydicom_and_a_validator_read_what_leaves"],
        "of one instance at a time, over WADO-URI",
    ),
    line(
        29,
        "IHE RAD-55, RAD-68, RAD-107",
        "what a rejection note names is hidden",
        &[],
        NOT_THERE,
    ),
    line(30, "PS3.4 Annex R", "instance availability notification", &[], NOT_THERE),
];
