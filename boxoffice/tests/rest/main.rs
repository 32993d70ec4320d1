//! x
#[test] fn a(){ let _ = (jiff::Timestamp::now(), rqrr::Point{x:0,y:0}); }
