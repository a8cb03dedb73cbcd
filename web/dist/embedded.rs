[
    Asset {
        path: "/assets/index-Pl4ceH0l.css",
        media_type: "text/css; charset=utf-8",
        hashed: true,
        gzip: include_bytes!("assets/index-Pl4ceH0l.css.gz"),
        size: 36,
    },
    Asset {
        path: "/assets/index-Pl4ceH0l.js",
        media_type: "text/javascript; charset=utf-8",
        hashed: true,
        gzip: include_bytes!("assets/index-Pl4ceH0l.js.gz"),
        size: 168981,
    },
    Asset {
        path: "/favicon.svg",
        media_type: "image/svg+xml",
        hashed: false,
        gzip: include_bytes!("favicon.svg.gz"),
        size: 99,
    },
    Asset {
        path: "/index.html",
        media_type: "text/html; charset=utf-8",
        hashed: false,
        gzip: include_bytes!("index.html.gz"),
        size: 327,
    },
]
