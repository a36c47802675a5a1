//! What OHIF's built files must become to work below [`ROOT`]: they are made to lie at `/`.

use std::borrow::Cow;

/// Where the viewer lies.
pub const ROOT: &str = "/ohif";

/// The page every address of the viewer's own shows.
pub const PAGE: &str = "index.html";

/// The file that tells OHIF which archive to show; ours, never the one in its package.
pub const CONFIG: &str = "app-config.js";

/// Whether a file of the package (its path below `dist/`) is of use: models for segmentation by
/// machine, the microscopy viewer, source maps and service workers are not.
pub fn is_wanted(path: &str) -> bool {
    let folder = path.split('/').next().unwrap_or_default();
    let unwanted_file = ["sw.js", "init-service-worker.js", "_headers", "_redirects", CONFIG];
    let map = path.rsplit_once('.').is_some_and(|(_, end)| end == "map");
    !(["ort", "dicom-microscopy-viewer", "customizations"].contains(&folder)
        || unwanted_file.contains(&path)
        || map)
}

/// A file with its absolute addresses moved below [`ROOT`].
pub fn moved<'a>(path: &str, content: &'a [u8]) -> Cow<'a, [u8]> {
    let end = path.rsplit_once('.').map_or("", |(_, end)| end);
    match end {
        "html" => {
            let page = replaced(content, br#"="/"#, br#"="/ohif/"#);
            let worker = br#"<script rel="preload" as="script" type="module" src="/ohif/init-service-worker.js"></script>"#;
            Cow::Owned(replaced(&page, worker, b"").into_owned())
        }
        // In the workers too: without it they load no codec, and images stay black.
        "js" => replaced(
            content,
            br#"__webpack_require__.p = "/""#,
            br#"__webpack_require__.p = "/ohif/""#,
        ),
        "css" => replaced(content, b"url(/", b"url(/ohif/"),
        "json" => replaced(content, br#""/assets/"#, br#""/ohif/assets/"#),
        _ => Cow::Borrowed(content),
    }
}

/// All places of `from` replaced; what is replaced is not looked at again.
fn replaced<'a>(content: &'a [u8], from: &[u8], to: &[u8]) -> Cow<'a, [u8]> {
    let mut out = Vec::new();
    let mut rest = content;
    while let Some(at) = memchr::memmem::find(rest, from) {
        let (before, after) = rest.split_at(at);
        out.extend_from_slice(before);
        out.extend_from_slice(to);
        rest = after.get(from.len()..).unwrap_or_default();
    }
    if out.is_empty() && rest.len() == content.len() {
        return Cow::Borrowed(content);
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
}

/// [`CONFIG`]: one data source, this archive, asked for at `dicomweb` (a path on the same host).
pub fn config(dicomweb: &str) -> String {
    let root = serde_json::Value::from(dicomweb);
    format!(
        r"window.config = {{
  routerBasename: '{ROOT}',
  extensions: [],
  modes: [],
  customizationService: {{}},
  showStudyList: true,
  maxNumberOfWebWorkers: 3,
  showWarningMessageForCrossOrigin: true,
  showCPUFallbackMessage: false,
  showLoadingIndicator: true,
  strictZSpacingForVolumeViewport: true,
  maxNumRequests: {{ interaction: 100, thumbnail: 5, prefetch: 25 }},
  defaultDataSourceName: 'lastra',
  dataSources: [{{
    namespace: '@ohif/extension-default.dataSourcesModule.dicomweb',
    sourceName: 'lastra',
    configuration: {{
      friendlyName: 'Lastra',
      name: 'lastra',
      wadoUriRoot: {root},
      qidoRoot: {root},
      wadoRoot: {root},
      qidoSupportsIncludeField: true,
      imageRendering: 'wadors',
      thumbnailRendering: 'thumbnail',
      thumbnailRequestStrategy: 'fetch',
      enableStudyLazyLoad: true,
      supportsFuzzyMatching: true,
      supportsWildcard: true,
      staticWado: false,
      singlepart: 'bulkdata,video,pdf',
      bulkDataURI: {{ enabled: true }},
      omitQuotationForMultipartRequest: true,
    }},
  }}],
}};
"
    )
}

#[cfg(test)]
mod tests {
    use super::{config, is_wanted, moved};

    #[test]
    fn absolute_addresses_move_below_the_viewers_root() {
        for (path, before, after) in [
            ("index.html", r#"<link href="/a.css">"#, r#"<link href="/ohif/a.css">"#),
            ("index.html", r#"window.PUBLIC_URL="/""#, r#"window.PUBLIC_URL="/ohif/""#),
            (
                "app.js",
                r#"x;__webpack_require__.p = "/";y"#,
                r#"x;__webpack_require__.p = "/ohif/";y"#,
            ),
            ("app.js", r#"a="/b""#, r#"a="/b""#), // not ours to judge
            ("a.css", "src:url(/f.woff2)", "src:url(/ohif/f.woff2)"),
            ("manifest.json", r#""src": "/assets/i.png""#, r#""src": "/ohif/assets/i.png""#),
            ("x.wasm", r#"="/"#, r#"="/"#),
        ] {
            assert_eq!(&*moved(path, before.as_bytes()), after.as_bytes(), "{path}");
        }
    }

    #[test]
    fn what_is_large_and_of_no_use_is_left_out() {
        assert!(
            is_wanted("index.html") && is_wanted("assets/favicon.ico") && is_wanted("1.bundle.js")
        );
        for path in ["ort/ort.wasm", "app.bundle.js.map", "sw.js", "app-config.js", "_headers"] {
            assert!(!is_wanted(path), "{path}");
        }
    }

    #[test]
    fn a_root_with_quotes_cannot_end_the_string() {
        assert!(config("/a\"b").contains(r#"qidoRoot: "/a\"b""#));
    }
}
