[
    Asset {
        path: "/assets/index-CD0f0dbp.js",
        media_type: "text/javascript; charset=utf-8",
        hashed: true,
        gzip: include_bytes!("assets/index-CD0f0dbp.js.gz"),
        size: 302961,
    },
    Asset {
        path: "/assets/style-Drb6HbGq.css",
        media_type: "text/css; charset=utf-8",
        hashed: true,
        gzip: include_bytes!("assets/style-Drb6HbGq.css.gz"),
        size: 11002,
    },
    Asset {
        path: "/favicon.svg",
        media_type: "image/svg+xml",
        hashed: false,
        gzip: include_bytes!("favicon.svg.gz"),
        size: 352,
    },
    Asset {
        path: "/index.html",
        media_type: "text/html; charset=utf-8",
        hashed: false,
        gzip: include_bytes!("index.html.gz"),
        size: 572,
    },
]
