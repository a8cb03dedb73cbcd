[
    Asset {
        path: "/assets/index-VDW0mRzy.js",
        media_type: "text/javascript; charset=utf-8",
        hashed: true,
        gzip: include_bytes!("assets/index-VDW0mRzy.js.gz"),
        size: 310405,
    },
    Asset {
        path: "/assets/style-DzDw3Lfy.css",
        media_type: "text/css; charset=utf-8",
        hashed: true,
        gzip: include_bytes!("assets/style-DzDw3Lfy.css.gz"),
        size: 11152,
    },
    Asset {
        path: "/favicon.svg",
        media_type: "image/svg+xml",
        hashed: false,
        gzip: include_bytes!("favicon.svg.gz"),
        size: 314,
    },
    Asset {
        path: "/index.html",
        media_type: "text/html; charset=utf-8",
        hashed: false,
        gzip: include_bytes!("index.html.gz"),
        size: 572,
    },
]
