[
    Asset {
        path: "/assets/index-DHW0ZHRV.js",
        media_type: "text/javascript; charset=utf-8",
        hashed: true,
        gzip: include_bytes!("assets/index-DHW0ZHRV.js.gz"),
        size: 303019,
    },
    Asset {
        path: "/assets/style-GanXQ1Jv.css",
        media_type: "text/css; charset=utf-8",
        hashed: true,
        gzip: include_bytes!("assets/style-GanXQ1Jv.css.gz"),
        size: 11102,
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
